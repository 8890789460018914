"""Describe the visitor's session as it is currently stored."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from labkit import session_stores
from labkit.base.session_expiry import clock_time
from labkit.panel.cookie_explanations import Lifetime
from labkit.panel.exchange_log import log
from labkit.panel.exchange_outcome import SHORTEST_KEY, Outcome
from labkit.panel.exchange_words import time_of_day
from labkit.panel.models import Exchange
from labkit.panel.session_memory import KeyFate

# Reasons why there is no stored session. Pages contain the key as data-nothing-stored.
NOT_STORED = {
    "no-sessions": "This lab stores nothing on the server. It keeps everything in cookies.",
    "no-session": "The browser sent no session key, so nothing is stored for this visitor.",
    "gone": "Nothing is stored now: the session expired or was deleted after this request.",
    "deleted": "Nothing is stored: this request deleted the session.",
    "no-match": (
        "The key that the browser sent matches nothing in the store. The session has expired or "
        "was deleted, or the key was never issued here."
    ),
    "expired": "Nothing is stored: the session expired, and the store has deleted it.",
    "deleted-before": "Nothing is stored: the session was deleted before this request.",
    "too-short": f"Nothing is stored: a session key has at least {SHORTEST_KEY} characters.",
    "bad-signature": "Nothing is stored: the cookie has no valid signature from this server.",
}
_FATES = {
    KeyFate.EXPIRED: "expired",
    KeyFate.DELETED: "deleted-before",
    KeyFate.BAD_SIGNATURE: "bad-signature",
}
# Sentences about a record that has expired but still exists, by kind.
_EXPIRED = {
    "row": (
        "The key that the browser sent matches a row that expired at {at}. The row stays until "
        "clearsessions deletes it."
    ),
    "cookie": "The signature of the cookie expired at {at}. The cookie is still in the browser.",
}


@dataclass(frozen=True)
class StoredSession:
    """A session as stored."""

    facts: list[tuple[str, str]]  # (name, raw value)
    # The kinds of record in which it is stored, such as "entry row"; "" if the store failed.
    kinds: str = ""
    life: Lifetime | None = None  # None unless the record is a row or cookie
    decoded: str = ""
    expired: str = ""  # a sentence that says when it expired, or ""


@dataclass(frozen=True)
class StoreReport:
    """A visitor's sessions in the store, or the reason why there are none."""

    sessions: list[StoredSession] = field(default_factory=list)  # the current one first
    nothing: str = ""  # a key of NOT_STORED

    @property
    def reason(self) -> str:
        """The reason why there is no session, as a sentence, or "" if there is one."""
        return NOT_STORED.get(self.nothing, "")


def report_store(exchange: Exchange, details: bool) -> StoreReport:
    """Return what the store currently contains for the visitor of an exchange.

    The result includes an expired record for the key that the browser sent, as well as the session
    that replaced it. details: whether to include the store's error message.
    """
    if not exchange.engine:
        return StoreReport(nothing="no-sessions")
    outcome = Outcome(exchange)
    current = "" if outcome.deleted else outcome.key_after or outcome.key_before
    found = []
    if len(current) >= SHORTEST_KEY:
        found.append(describe_stored(exchange.engine, current, details))
    # If the engine keeps sessions in cookies, the response replaced the old cookie.
    is_kept = not current or "cookie" not in session_stores.kinds(exchange.engine)
    if outcome.key_fate in {KeyFate.EXPIRED, KeyFate.GONE, KeyFate.UNKNOWN} and is_kept:
        old = describe_stored(exchange.engine, outcome.sent_key, details)
        found.append(old if old and old.expired else None)
    sessions = [session for session in found if session]
    return StoreReport(sessions) if sessions else StoreReport(nothing=_why_nothing(outcome))


def _why_nothing(outcome: Outcome) -> str:
    """Return the key of NOT_STORED."""
    if outcome.deleted:
        return "deleted"
    if outcome.was_stored:
        return "gone"
    if not outcome.sent_key:
        return "no-session"
    if len(outcome.sent_key) < SHORTEST_KEY:
        return "too-short"
    fate = outcome.key_fate or log.sessions.fate(outcome.sent_key, time.time())[0]
    return _FATES.get(fate, "no-match")


def describe_stored(engine: str, key: str, details: bool = True) -> StoredSession | None:
    """Return what `engine`, a dotted path, stores for this key, or None if it stores nothing.

    If the store fails, the error is returned as a fact, so that the panel still opens. `details`:
    whether to include the store's error message.
    """
    try:
        records = session_stores.read(key, engine)
        if not records:
            return None
        data = records[0].data
        dated = next((record for record in records if record.expires), None)
        return StoredSession(
            [fact for record in records for fact in _facts(record)],
            " ".join(record.kind for record in records),
            _life(dated, engine) if dated else None,
            repr(data) if data else "Nothing: the session is empty or cannot be read.",
            _expired(dated) if dated else "",
        )
    # Reasons such as a missing database or table, or an unreadable folder.
    except Exception as error:
        message = f"{type(error).__name__}: {error}" if details else "See the server's log."
        return StoredSession([("The store does not respond", message)])


def _facts(record: session_stores.Record) -> Iterator[tuple[str, str]]:
    if record.kind == "row" and record.expires:
        yield "Row in django_session", record.name
        yield "expire_date", clock_time(record.expires)
        yield "session_data", record.content
    elif record.kind == "entry":
        yield f"Entry in the cache ({session_stores.cache_name()})", record.name
    elif record.kind == "file":
        yield "File", record.name
        yield "Content", record.content
    else:
        yield "Store", "The cookie itself. The server stores nothing."


def _life(record: session_stores.Record, engine: str) -> Lifetime:
    """Return the lifetime that a record would have after a save, and how much of it is left."""
    assert record.expires is not None
    left = record.expires.timestamp() - time.time()
    session = session_stores.session_store(engine)()
    # signed_cookies ignores set_expiry(): https://code.djangoproject.com/ticket/19201
    expiry = record.data.get("_session_expiry") if record.kind == "row" else None
    try:
        given = float(session.get_expiry_age(expiry=expiry))
    except (TypeError, ValueError, OverflowError):  # the entry was not written by Django
        given = left
    return Lifetime(max(left, given), max(0.0, left))


def _expired(record: session_stores.Record) -> str:
    """Return a sentence about a record that has expired but still exists, or ""."""
    assert record.expires is not None
    at = record.expires.timestamp()
    return _EXPIRED[record.kind].format(at=time_of_day(at)) if at <= time.time() else ""
