"""What the server did with the visitor's session in one exchange, in words."""

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from labkit.panel.log import Exchange, SessionAccess, StoreOperation, pairs, recall
from labkit.panel.session_hooks import touches
from labkit.panel.summary_bar import kept, lost_change
from labkit.text import quantity

GONE = object()


@dataclass(frozen=True)
class Row:
    """One entry of the session, before and after."""

    key: str
    before: str  # empty where it was not there
    after: str
    change: str  # "new", "changed", "removed" or ""


@dataclass
class Told:
    """What there is to say of the session."""

    rows: list[Row] = field(default_factory=list)
    no_rows: str = ""  # why there are none
    key_before: str = ""
    key_after: str = ""
    why: str = ""  # it was saved, or was not
    warning: str = ""
    touches: list[SessionAccess] = field(default_factory=list)
    passages: list[str] = field(default_factory=list)


def tell(exchange: Exchange, details: bool = True) -> Told:
    """The part of the panel that says what the server did.

    `details`: with the store's own words where it failed, which name hosts and users.
    """
    loaded, stored = exchange.loaded(), exchange.stored()
    told = Told(touches=list(touches(exchange)), why=_why(exchange, loaded, stored, details))
    told.passages = [_in_words(passage, exchange, details) for passage in exchange.passages]
    brought = _brought(exchange)
    told.key_before = ((loaded.key or "") if loaded.found else "") if loaded else brought
    told.key_after = _key_after(told.key_before, exchange, stored)
    if lost_change(exchange):
        told.warning = (
            "The session was changed but NOT saved: session.modified is False, so nobody told it. "
            "A change inside of an entry goes unnoticed; request.session.modified = True tells it."
        )
    ended = stored is not None and stored.kind == "delete"
    before = recall(loaded.data) if loaded and not loaded.failed else {}
    after = {} if ended or exchange.after is None else recall(exchange.after)
    if exchange.after is None and loaded and not ended:
        after = before
    if loaded and loaded.failed:
        told.no_rows = "The store did not answer, so nobody knows what is in the session."
    elif before is None or after is None:
        told.no_rows = "The session is too large to be shown."
    elif loaded is None and brought and (ended or exchange.after is not None):
        told.no_rows = "It was emptied or written anew, without a look at what was in it."
    elif loaded is None and brought:
        told.no_rows = "It was not even loaded."
    elif not before and not after:
        told.no_rows = "The session has no entries, before or after."
    else:
        told.rows = _compare(before, after)
    return told


def _brought(exchange: Exchange) -> str:
    """The session key that the browser sent along."""
    sent = dict(pairs(exchange.cookie_header))
    return sent.get(settings.SESSION_COOKIE_NAME, "").strip('"')


def _key_after(before: str, exchange: Exchange, stored: StoreOperation | None) -> str:
    if stored is None or stored.failed or not kept(exchange):
        return before
    return "" if stored.kind == "delete" else stored.key or ""


def _compare(before: dict[str, Any], after: dict[str, Any]) -> list[Row]:
    rows = []
    for key in [*before, *(key for key in after if key not in before)]:
        old, new = before.get(key, GONE), after.get(key, GONE)
        if old is GONE:
            change = "new"
        elif new is GONE:
            change = "removed"
        else:
            change = "" if old == new else "changed"
        rows.append(Row(str(key), _shown(old), _shown(new), change))
    return rows


def _shown(value: Any) -> str:
    return "" if value is GONE else repr(value)


def _why(
    exchange: Exchange, loaded: StoreOperation | None, stored: StoreOperation | None, details: bool
) -> str:
    """Why it was saved, or why not, in a sentence."""
    if loaded is not None and loaded.failed:
        return f"Not saved, and not even read: the store failed.{_detail(loaded, details)}"
    if stored is not None and stored.failed.startswith("UpdateError"):
        return "Not saved: the session was deleted while this request was under way."
    if stored is not None and stored.failed:
        return f"Not saved: the store failed.{_detail(stored, details)}"
    if stored is not None and not kept(exchange):
        return "Not kept: this engine saves into the cookie, and the answer sets none."
    if stored is not None and stored.kind == "delete":
        return "Deleted, as flush() and a logout do; nothing has been written since."
    if stored is not None:
        what = "Created and saved" if stored.kind == "create" else "Saved"
        if exchange.status >= 500:
            return (
                f"{what} by the view itself. An answer of 500 or above gives no key to the browser."
            )
        if stored.modified:
            return f"{what}, since it was changed: session.modified is True."
        if settings.SESSION_SAVE_EVERY_REQUEST:
            return f"{what}, since SESSION_SAVE_EVERY_REQUEST is on; nothing was changed."
        return f"{what} by the view itself."
    if exchange.modified and exchange.status >= 500:
        return "Not saved, though it was changed: an answer of 500 or above saves nothing."
    if exchange.modified:
        return "Not saved, since it is empty: there is nothing to keep."
    if exchange.touches.get(exchange.session or 0):
        return "Not saved: it was read, and session.modified is False."
    return "Not saved: nobody looked at it, so it was not even loaded."


def _detail(passage: StoreOperation, details: bool) -> str:
    return f" {passage.failed}" if details else ""


def _in_words(passage: StoreOperation, exchange: Exchange, details: bool) -> str:
    """One thing that passed between server and store."""
    key = passage.key or "no key"
    whose = "" if passage.store == exchange.session else " (a session of the view's own)"
    if passage.failed:
        return f"{passage.kind} {key}: failed{whose}.{_detail(passage, details)}"
    if passage.kind == "load":
        data = recall(passage.data) or {}
        entries = quantity(len(data), "entry", "entries")
        return f"load {key}: {entries if passage.found else 'nothing there'}{whose}"
    return f"{passage.kind} {key}{whose}"
