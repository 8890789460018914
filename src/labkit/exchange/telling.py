"""What the server did with the visitor's session in one exchange, in words."""

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from labkit.exchange.line import lost_change
from labkit.exchange.record import Exchange, Passage, Touch, recall
from labkit.exchange.watching import touches

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
    known: bool = True  # whether the rows could be told
    key_before: str = ""
    key_after: str = ""
    saved: bool = False
    why: str = ""
    warning: str = ""
    touches: list[Touch] = field(default_factory=list)
    passages: list[str] = field(default_factory=list)


def tell(exchange: Exchange) -> Told:
    """The part of the panel that says what the server did."""
    told = Told(touches=list(touches(exchange)))
    loaded, stored = exchange.loaded(), exchange.stored()
    told.passages = [_in_words(passage, exchange) for passage in exchange.passages]
    told.key_before = (loaded.key or "") if loaded and loaded.found else ""
    told.key_after = _key_after(told.key_before, stored)
    told.saved = stored is not None and stored.kind != "delete" and not stored.failed
    told.why = _why(exchange, stored)
    if lost_change(exchange):
        told.warning = (
            "The session was changed but NOT saved: something inside of an entry changed, and "
            "nobody told the session. request.session.modified = True does."
        )
    before = recall(loaded.data) if loaded else {}
    after = recall(exchange.after) if exchange.after is not None else before
    if stored is not None and stored.kind == "delete":
        after = {}
    if before is None or after is None:
        told.known = False
    else:
        told.rows = _compare(before, after)
    return told


def _key_after(before: str, stored: Passage | None) -> str:
    if stored is None:
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


def _why(exchange: Exchange, stored: Passage | None) -> str:
    """Why it was saved, or why not, in a sentence."""
    if stored is not None and stored.failed:
        return f"Not saved: the store failed. {stored.failed}"
    if stored is not None and stored.kind == "delete":
        return "Deleted: flush() was called, as a logout does, and nothing has been written since."
    if stored is not None:
        what = "Created and saved" if stored.kind == "create" else "Saved"
        if exchange.modified:
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


def _in_words(passage: Passage, exchange: Exchange) -> str:
    """One thing that passed between server and store."""
    key = passage.key or "no key"
    whose = "" if passage.store == exchange.session else " (a session of the view's own)"
    if passage.failed:
        return f"{passage.kind} {key}: failed, {passage.failed}{whose}"
    if passage.kind == "load":
        data = recall(passage.data) or {}
        entries = f"{len(data)} entr{'y' if len(data) == 1 else 'ies'}"
        return f"load {key}: {entries if passage.found else 'nothing there'}{whose}"
    return f"{passage.kind} {key}{whose}"
