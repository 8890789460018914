"""Explain in words what the server did with the visitor's session in one exchange."""

from django.conf import settings

from labkit.panel.cookie_explanations import CookieEffect, cookie_effects
from labkit.panel.exchange_outcome import SHORTEST_KEY, Outcome, SaveCause, SessionEvent
from labkit.panel.exchange_words import at_time
from labkit.panel.models import Exchange, StoreOperation, open_snapshot
from labkit.panel.session_memory import KeyFate
from labkit.panel.session_recorder import session_accesses
from labkit.text_format import quantity

_REASONS = {
    SessionEvent.DELETED_BY_OTHER: (
        "Not saved: another request deleted the session in the meantime."
    ),
    SessionEvent.SAVE_FAILED: "Not saved: the store failed.",
    SessionEvent.LOAD_FAILED: "Neither loaded nor saved: the store failed.",
    SessionEvent.NOT_DELIVERED: (
        "Not saved: this engine stores the session in its cookie, and the response sets none."
    ),
    SessionEvent.DELETED: "Deleted, as by flush() or logout(), and not saved again.",
    SessionEvent.DISCARDED: (
        "Changed but not saved: Django does not save a session if the status is 500 or higher."
    ),
    SessionEvent.EMPTY: "Not saved, because it is empty.",
    SessionEvent.READ: "Not saved: it was read, and session.modified is False.",
    SessionEvent.UNTOUCHED: "Neither loaded nor saved, because no code used request.session.",
}
_SAVE_REASONS = {
    SaveCause.MODIFIED: ", because it was changed: session.modified is True.",
    SaveCause.EVERY_REQUEST: ", because SESSION_SAVE_EVERY_REQUEST is on. Nothing was changed.",
    SaveCause.VIEW: " by the view itself.",
}
_SAVED = {
    SessionEvent.CREATED: "Created and saved",
    SessionEvent.NEW_KEY: "Saved under a new key",
    SessionEvent.REPLACED: "Deleted; then a new session was created and saved",
}
_ERROR_AFTER_SAVE = " With a status of 500 or higher, Django sends no session cookie."
_OWN_COOKIE = " The view set the session cookie itself."
_CHANGE_LOST = (
    "The session was changed but not saved: session.modified is False. Django does not detect a "
    "change inside an entry. Set request.session.modified = True after the change."
)
# Reasons why there are no entries to compare. Pages contain the key as data-no-entries.
_NO_ENTRIES = {
    "load-failed": "The store did not respond, so the entries of the session are unknown.",
    "too-large": "The session is too large to show.",
    "rewritten": "The session was emptied or replaced without being loaded.",
    "not-loaded": "The session was not loaded.",
    "empty": "There are no entries before or after the request.",
}


_KEY_FATES = {
    KeyFate.EXPIRED: (
        "The key that the browser sent matched a session that expired{at}, so Django treats "
        "the visitor as new."
    ),
    KeyFate.DELETED: (
        "The key that the browser sent matched a session that was deleted before this request."
    ),
    KeyFate.GONE: (
        "The key that the browser sent used to match a session. Since then, the session has "
        "expired, or the cache or another process has deleted it."
    ),
    KeyFate.UNKNOWN: (
        "The key that the browser sent matches no session, and this server has not seen it since "
        "it started. The session expired or was deleted before, or the key was never issued here."
    ),
    KeyFate.TOO_SHORT: (
        f"The key that the browser sent has fewer than {SHORTEST_KEY} characters, so Django "
        "ignores it without looking in the store."
    ),
    KeyFate.BAD_SIGNATURE: (
        "The session cookie does not have a valid signature from this server, so Django ignores it."
    ),
}


class SessionReport:
    """The panel's report on the session in one exchange.

    `details`: whether to include the store's error messages, which name hosts and users.
    """

    def __init__(self, exchange: Exchange, details: bool = True) -> None:
        self.outcome = outcome = Outcome(exchange)
        self.reason = _reason(outcome, details)
        self.warning = _CHANGE_LOST if outcome.event is SessionEvent.CHANGE_LOST else ""
        self.key_fate_text = _explain_key_fate(outcome)
        self.accesses = list(session_accesses(exchange))
        self.operations = [_describe(each, exchange, details) for each in exchange.operations]
        self.no_entries = _why_no_entries(outcome)
        self.no_entries_text = _NO_ENTRIES.get(self.no_entries, "")
        self.entries = [] if self.no_entries else _compare(outcome)


def _explain_key_fate(outcome: Outcome) -> str:
    """Return why the key that was sent matches no session, or "" if it matches one."""
    if outcome.key_fate is None:
        return ""
    return _KEY_FATES[outcome.key_fate].format(at=at_time(outcome.expired_at))


def _why_no_entries(outcome: Outcome) -> str:
    """Return a key of _NO_ENTRIES, or "" if there are entries."""
    if outcome.load and outcome.load.error:
        return "load-failed"
    if outcome.before is None or outcome.after is None:
        return "too-large"
    if outcome.load is None and outcome.sent_key:
        rewritten = outcome.deleted or outcome.exchange.session_after is not None
        return "rewritten" if rewritten else "not-loaded"
    return "" if outcome.before or outcome.after else "empty"


def _compare(outcome: Outcome) -> list[tuple[str, str, str, str]]:
    """Return (name, value before, value after, change) for each entry; a missing value is ""."""
    before, after = outcome.before or {}, outcome.after or {}
    changes = []
    for key in before | after:
        if key not in before:
            change = "new"
        elif key not in after:
            change = "removed"
        else:
            change = "" if before[key] == after[key] else "changed"
        old, new = (repr(each[key]) if key in each else "" for each in (before, after))
        changes.append((str(key), old, new, change))
    return changes


def _reason(outcome: Outcome, details: bool) -> str:
    """Return a sentence that says why the session was saved or not saved."""
    event = outcome.event
    if outcome.save_cause:
        verb = _SAVED.get(event, "Saved")
        error = _ERROR_AFTER_SAVE if outcome.error_response else ""
        return f"{verb}{_SAVE_REASONS[outcome.save_cause]}{error}"
    if event is SessionEvent.CHANGE_LOST:
        event = SessionEvent.READ if outcome.accessed else SessionEvent.UNTOUCHED
    failed = {SessionEvent.SAVE_FAILED: outcome.write, SessionEvent.LOAD_FAILED: outcome.load}
    if event is SessionEvent.UNTOUCHED and _sets_session_cookie(outcome):
        return _REASONS[event] + _OWN_COOKIE
    return _REASONS[event] + _error(failed.get(event), details)


def _sets_session_cookie(outcome: Outcome) -> bool:
    names = cookie_effects(outcome.exchange).get(CookieEffect.SET, ())
    return settings.SESSION_COOKIE_NAME in names


def _error(operation: StoreOperation | None, details: bool) -> str:
    return f" {operation.error}" if operation and details else ""


def _describe(
    operation: StoreOperation, exchange: Exchange, details: bool
) -> tuple[str, str, bool]:
    """Return an operation's kind, its description, and whether it concerned another session."""
    if operation.kind == "clear":
        return operation.kind, "clear_expired()", False
    other = operation.store_id != exchange.store_id
    suffix = " (another session, opened by the view)" if other else ""
    text = f"{operation.kind} {operation.key or 'no key'}"
    if operation.error:
        return operation.kind, f"{text}: failed{suffix}.{_error(operation, details)}", other
    if operation.kind == "load":
        number = len(open_snapshot(operation.data) or {})
        text += f": {quantity(number, 'entry', 'entries') if operation.found else 'nothing there'}"
    return operation.kind, text + suffix, other
