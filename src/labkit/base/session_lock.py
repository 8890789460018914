"""The repair of lost updates: of several requests of one session, one at a time reads and writes.

Django loads a session when a view first asks for it, and saves all of it when the view is done. Of
two requests that overlap, each saves what it had read, and the last save wins. `locked()` takes the
session's row before it reads and lets go of it after it has saved:

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
from django.http import HttpRequest
from django.utils import timezone


def why_not(session: SessionBase) -> str:
    """Why this session cannot be locked, as a sentence; empty where it can.

    There has to be a row to lock. And SQLite has to take its one lock, that of the whole file, when
    a transaction begins: one that reads first and then wants to write is refused at once with
    "database is locked", and does not wait for the timeout.
    https://docs.djangoproject.com/en/5.2/ref/databases/#transactions-behavior
    """
    if not isinstance(session, SessionStore):
        engine = type(session).__module__.rpartition(".")[2]
        return f"The session engine in use, {engine}, has no row to lock; db and cached_db have."
    connection = connections[_alias(session)]
    mode = connection.settings_dict["OPTIONS"].get("transaction_mode") or "DEFERRED"
    if connection.vendor == "sqlite" and mode.upper() not in {"IMMEDIATE", "EXCLUSIVE"}:
        return f"SQLite has to lock at the beginning: transaction_mode is {mode}, not IMMEDIATE."
    return ""


@contextmanager
def locked(request: HttpRequest) -> Iterator[SessionBase]:
    """Hold the row of this visitor's session: read it again, let the block change it, save it.

    Another request that asks for the same row waits, on MariaDB for innodb_lock_wait_timeout (50 s)
    and on SQLite for the option `timeout`; there it waits for any writer at all. So nothing slow
    belongs into the block. What is changed deep inside a value is saved as well. Where the block
    raises an exception, nothing of it is kept. One block for each request, and no change of the
    session before it: the reading would undo it.

    A session that is new has no row yet, and nobody else knows its key: it is created as ever. (Two
    first requests at once are two sessions, and the browser keeps the key that came last.) A key
    whose row was gone before anybody looked counts as none, as in Django.

    Raises ImproperlyConfigured for what `why_not` says, RuntimeError for a change before the block,
    and SessionInterrupted, which Django answers with 400, where the session had been read in this
    request and was deleted or has expired meanwhile: it is not brought back.
    """
    session: Any = request.session
    if reason := why_not(session):
        raise ImproperlyConfigured(reason)
    if session.modified:
        raise RuntimeError("The session was changed before the lock; change it inside.")
    try:
        with transaction.atomic(using=_alias(session)):
            before = _read_again(session)
            yield session
            changed = session.modified or session._session != before
            if changed and not session.is_empty():  # which flush() makes it; the cookie goes then
                session.save()
    except BaseException:
        session.__dict__.pop("_session_cache", None)  # who looks now shall see what is stored
        session.modified = False
        raise
    if changed:
        _let_the_cookie_be_sent(session)


def _alias(session: Any) -> str:
    alias: str = router.db_for_write(session.model)
    return alias


def _read_again(session: Any) -> dict[str, Any]:
    """Lock the row and put what is in it into this session; return the same once more.

    From the row and not by load(), which in cached_db asks a cache: another process may have
    written since that was filled.
    """
    key, seen = session.session_key, "_session_cache" in session.__dict__
    alive = session.model.objects.using(_alias(session)).filter(expire_date__gt=timezone.now())
    row = alive.select_for_update().filter(session_key=key).first() if key else None
    if row is None and key and seen:
        raise SessionInterrupted("The session was deleted or has expired during this request.")
    if row is None:
        session._session_key = None  # never take over a key that was not made here
    session._session_cache = session.decode(row.session_data) if row else {}
    return session.decode(row.session_data) if row else {}


def _let_the_cookie_be_sent(session: Any) -> None:
    """Have SessionMiddleware send the cookie, with its new end, and not save a second time.

    By then others may have had the lock, and its copy is stale. That is how the usual repair loses
    the first item of every visitor: create() leaves the session marked as modified. What is changed
    after the block is saved, as Django does it: over whatever is there.
    """
    kept = copy.deepcopy(session._session)

    def save(must_create: bool = False) -> None:
        if must_create or session._session != kept:
            type(session).save(session, must_create)

    session.save = save
    session.modified = True
