"""Lock a visitor's session, so that only one request at a time reads and writes it.

Django loads a session when a view first uses it, and saves all of it after the view. If two
requests overlap, the second save overwrites the first one's changes: a lost update. `locked()`
locks the session's row before reading it, and releases the lock after saving:

    with locked(request) as session:
        session["count"] = session.get("count", 0) + 1

https://docs.djangoproject.com/en/5.2/ref/models/querysets/#select-for-update
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, router, transaction
from django.dispatch import Signal
from django.http import HttpRequest
from django.utils import timezone

# locked() sends both signals with the argument `session`: the first before it waits for the row,
# and the second once it has read the row.
lock_requested = Signal()
row_locked = Signal()

NO_ROW = "The session engine {engine} has no row to lock. Only db and cached_db do."
CHANGED_BEFORE = "The session was changed before it was locked. Change it inside the block."


def lock_error(session: SessionBase) -> str:
    """Return a sentence that says why this session cannot be locked, or "" if it can be.

    SQLite must lock the whole file when a transaction begins. A transaction that reads before it
    writes fails at once with "database is locked", regardless of the timeout.
    https://docs.djangoproject.com/en/5.2/ref/databases/#transactions-behavior
    """
    if not isinstance(session, SessionStore):
        engine = type(session).__module__.rpartition(".")[2]
        return NO_ROW.format(engine=engine)
    connection = connections[_alias(session)]
    mode = connection.settings_dict["OPTIONS"].get("transaction_mode") or "DEFERRED"
    if connection.vendor == "sqlite" and mode.upper() not in {"IMMEDIATE", "EXCLUSIVE"}:
        return f"SQLite needs transaction_mode IMMEDIATE, but it is {mode}."
    return ""


@contextmanager
def locked(request: HttpRequest) -> Iterator[SessionBase]:
    """Lock the row of this visitor's session, reload it, and save it after the block.

    Another request that locks the same row waits: on MariaDB for up to innodb_lock_wait_timeout (50
    s), on SQLite for up to the option `timeout`. On SQLite it waits for every other writer too. So
    keep slow work out of the block. Changes deep inside a value are saved too. If the block raises
    an exception, nothing is saved. Use one block per request, and do not change the session before
    it, since reloading the row would undo that change.

    A new session has no row yet, and no other request has its key, so it is created as usual. Two
    concurrent first requests create two sessions, and the browser keeps the key that arrives last.
    As in Django, a key whose row was deleted before the session was loaded is ignored.

    Raises ImproperlyConfigured, with the sentence of `lock_error`, if the session cannot be locked,
    and RuntimeError if it was changed before the block. Raises SessionInterrupted, for which Django
    returns 400, if the session was loaded in this request but has since been deleted or has
    expired.
    """
    session: Any = request.session
    if error := lock_error(session):
        raise ImproperlyConfigured(error)
    if session.modified:
        raise RuntimeError(CHANGED_BEFORE)
    lock_requested.send(locked, session=session)
    try:
        with transaction.atomic(using=_alias(session)):
            before = _read_row(session)
            row_locked.send(locked, session=session)
            yield session
            changed = session.modified or session._session != before
            if changed and not session.is_empty():  # after flush(), the session has no row to save
                session.save()
    except BaseException:
        session.__dict__.pop("_session_cache", None)  # the next access reloads the session
        session.modified = False
        raise
    if changed:
        _send_cookie_without_saving(session)


def _alias(session: Any) -> str:
    alias: str = router.db_for_write(session.model)
    return alias


def _read_row(session: Any) -> dict[str, Any]:
    """Lock the row and load its data into this session; return a second copy of the data.

    Read the row rather than call load(), because cached_db would read a cache entry that may be
    older than the row.
    """
    key, was_loaded = session.session_key, "_session_cache" in session.__dict__
    alive = session.model.objects.using(_alias(session)).filter(expire_date__gt=timezone.now())
    row = alive.select_for_update().filter(session_key=key).first() if key else None
    if row is None:
        if key and was_loaded:
            raise SessionInterrupted("The session was deleted or has expired during this request.")
        session._session_key = None  # never accept a key that this server did not issue
    session._session_cache = session.decode(row.session_data) if row else {}
    return session.decode(row.session_data) if row else {}


def _send_cookie_without_saving(session: Any) -> None:
    """Make SessionMiddleware send the cookie with its new expiry, without saving again.

    A second save could overwrite the changes of another request that had the lock in the meantime;
    create(), for example, leaves the session marked as modified. Changes after the block are saved
    as usual.
    """
    saved = copy.deepcopy(session._session)

    def save(must_create: bool = False) -> None:
        if must_create or session._session != saved:
            type(session).save(session, must_create)

    session.save = save
    session.modified = True
