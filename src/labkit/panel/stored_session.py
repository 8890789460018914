"""Describes what the store keeps for one session now, read by the panel's own request."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from labkit import session_stores
from labkit.base.session_expiry import clock_time
from labkit.panel.cookie_explanations import Lifetime


@dataclass(frozen=True)
class StoredSession:
    """A session as the store keeps it."""

    facts: list[tuple[str, str]]  # (name, raw value)
    kinds: str = ""  # of its records, such as "entry row"; empty if the store failed
    life: Lifetime | None = None  # of a row
    decoded: str = ""


def describe_stored(engine: str, key: str, details: bool = True) -> StoredSession | None:
    """Return what `engine` (a dotted path) keeps under this key; None if it keeps nothing.

    An error of the store becomes a fact, so that the panel opens even then. `details`: with the
    store's error message.
    """
    try:
        records = session_stores.read(key, engine)
        if not records:
            return None
        data = records[0].data
        return StoredSession(
            [fact for record in records for fact in _facts(record)],
            " ".join(record.kind for record in records),
            next((_life(record, engine) for record in records if record.expires), None),
            repr(data) if data else "Nothing: it is empty, or cannot be read.",
        )
    except Exception as error:  # no database, a missing table, a folder that cannot be read
        message = f"{type(error).__name__}: {error}" if details else "See the server's log."
        return StoredSession([("The store does not answer", message)])


def _facts(record: session_stores.Record) -> Iterator[tuple[str, str]]:
    if record.kind == "row" and record.expires:
        yield "Row in django_session", record.name
        yield "session_data", record.content
        yield "expire_date", clock_time(record.expires)
    elif record.kind == "entry":
        yield f"Entry in the cache ({session_stores.cache_name()})", record.name
    elif record.kind == "file":
        yield "File", record.name
        yield "Content", record.content
    else:
        yield "Store", "The cookie itself: the server keeps nothing."


def _life(record: session_stores.Record, engine: str) -> Lifetime:
    """Return the rest of a row's life, out of the life that a write gives its session."""
    assert record.expires is not None
    left = record.expires.timestamp() - time.time()
    session = session_stores.session_store(engine)()
    expiry = record.data.get("_session_expiry")
    try:
        given = float(session.get_expiry_age(expiry=expiry))
    except (TypeError, ValueError, OverflowError):  # something else than Django has written it
        given = left
    return Lifetime(max(left, given), max(0.0, left))
