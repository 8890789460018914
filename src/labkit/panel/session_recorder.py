"""Observe how code reads and writes sessions, and how the server loads and saves them.

Two attributes of SessionBase, `accessed` and `modified`, are replaced with descriptors that record
the code that sets them. The store's load, save and delete methods record each operation. The
session's class is not replaced, because its name is part of the salt for signing a session.
https://docs.djangoproject.com/en/5.2/topics/http/sessions/#extending-database-backed-session-engines
"""

import functools
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase

from labkit.panel import server_clock
from labkit.panel.exchange_log import log
from labkit.panel.models import Exchange, StoreOperation, take_snapshot
from labkit.panel.session_memory import KeyFate
from labkit.session_stores import cookie_expiry, kinds

current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)
Surround = Callable[[str], AbstractContextManager[None]]
_surround: ContextVar[Surround | None] = ContextVar("surround", default=None)

_store_ids = itertools.count(1)
_MARK = "_labkit_observed"
_LIBRARIES = str(Path(django.__file__).parents[1])
_SESSIONS = str(Path(django.__file__).parent / "contrib" / "sessions")
_HERE = str(Path(__file__).parent)


def observe_sessions(store: type[SessionBase]) -> None:
    """Start observing all sessions of this SessionStore class; further calls have no effect."""
    if _MARK not in SessionBase.__dict__:
        setattr(SessionBase, _MARK, True)
        SessionBase.accessed = _ObservedFlag("accessed", is_write=False)
        SessionBase.modified = _ObservedFlag("modified", is_write=True)
    if _MARK not in store.__dict__:
        setattr(store, _MARK, True)
        for name, record in (("load", _load), ("save", _save), ("delete", _delete)):
            setattr(store, name, _observed(getattr(store, name), record))
        clear: Any = store.clear_expired  # a class method
        store.clear_expired = classmethod(_observed_clearing(clear.__func__))


def store_id(session: Any) -> int:
    """Return a unique number for this SessionStore object. Unlike id(), it is never reused."""
    number: int | None = session.__dict__.get("_labkit_id")
    if number is None:
        number = session.__dict__["_labkit_id"] = next(_store_ids)
    return number


class _ObservedFlag:
    """A boolean attribute that records the line of code that sets it to True."""

    def __init__(self, name: str, *, is_write: bool) -> None:
        self._name, self._is_write = f"_labkit_{name}", is_write

    def __get__(self, session: Any, owner: type) -> Any:
        return self if session is None else session.__dict__.get(self._name, False)

    def __set__(self, session: Any, value: bool) -> None:
        session.__dict__[self._name] = value
        if value and (exchange := current.get()) is not None:
            _record_access(exchange, session, self._is_write)


def _record_access(exchange: Exchange, session: Any, is_write: bool) -> None:
    """Record the innermost stack frame in the lab's code, or else outside the session code."""
    frame: Any = sys._getframe(2)
    # Views read their session often, so this loop has to be fast.
    while (role := _role_of(frame.f_code.co_filename)) == "inside":
        frame = frame.f_back
    first = frame
    while role != "lab":
        if role == "middleware":
            return  # Django's own bookkeeping
        frame = frame.f_back
        if frame is None:
            break
        role = _role_of(frame.f_code.co_filename)
    found = frame or first
    accesses = exchange.accesses.setdefault(store_id(session), {})
    accesses[found.f_code.co_filename, found.f_lineno, is_write] = frame is not None


@functools.cache
def _role_of(file: str) -> str:
    """Return a file's role: "lab", session "middleware", "inside" the session code, or "other"."""
    if file.startswith(str(settings.FOLDER)):
        return "lab"
    if file.startswith(_SESSIONS):
        return "middleware" if file.endswith("middleware.py") else "inside"
    return "inside" if file.startswith(_HERE) else "other"


def session_accesses(exchange: Exchange) -> Iterator[tuple[str, str]]:
    """Yield ("read" or "write", "file:line") for the visitor's session, in order of access.

    File names are relative to the folder of the lab, or of the installed libraries.
    """
    recorded = exchange.accesses.get(exchange.store_id or 0, {})
    for (file, line, is_write), in_lab in recorded.items():
        path = Path(file.removeprefix(str(settings.FOLDER) if in_lab else _LIBRARIES)).as_posix()
        yield "write" if is_write else "read", f"{path.lstrip('/')}:{line}"


# Store operations


@contextmanager
def surrounded_by(surround: Surround) -> Iterator[None]:
    """Within the block, run each of this thread's store operations in the context surround(kind).

    kind: "load", "save" or "delete". `operations()` includes an operation once its context has
    exited.
    """
    surrounding, exchange = _surround.set(surround), current.set(None)
    try:
        yield
    finally:
        current.reset(exchange)
        _surround.reset(surrounding)


def operations() -> list[StoreOperation]:
    """Return the store operations of this thread's request so far."""
    exchange = current.get()
    return exchange.operations if exchange else []


def _observed(operate: Callable[..., Any], record: Callable[..., Any]) -> Callable[..., Any]:
    """Return a replacement for the store method `operate` that also records the operation.

    record: a function that calls `operate` and records the operation.
    """
    kind = operate.__name__

    @functools.wraps(operate)
    def observed(session: Any, *args: Any, **kwargs: Any) -> Any:
        surround, exchange = _surround.get(), current.get()
        if exchange is None:
            if surround is None:
                return operate(session, *args, **kwargs)
            # With LAB_PANEL=0, no middleware has begun an exchange.
            current.set(exchange := log.begin())
        with surround(kind) if surround else nullcontext():
            try:
                return record(exchange, operate, session, *args, **kwargs)
            except Exception as error:
                if kind != "delete":
                    text = f"{type(error).__name__}: {error}"[:300]
                    _add(exchange, kind, session, error=text)
                raise

    return observed


def _observed_clearing(clear: Callable[[Any], None]) -> Callable[[Any], None]:
    """Return a replacement for the function of clear_expired() that also records the operation."""

    @functools.wraps(clear)
    def clear_expired(cls: Any) -> None:
        clear(cls)
        if (exchange := current.get()) is not None:
            exchange.operations.append(StoreOperation("clear", 0, None))

    return clear_expired


def _add(
    exchange: Exchange, kind: str, session: Any, place: int | None = None, **fields: Any
) -> None:
    operation = {"key": session._session_key} | fields
    place = len(exchange.operations) if place is None else place
    exchange.operations.insert(place, StoreOperation(kind, store_id(session), **operation))


def _load(exchange: Exchange, load: Callable[..., Any], session: Any) -> Any:
    key, modified, before = session._session_key, session.modified, len(exchange.operations)
    data = load(session)
    # If a key matches no session, signed_cookies keeps the key and sets `modified`, and the other
    # engines set the key to None. The file engine creates a new session if the old one has expired.
    found = session._session_key == key and session.modified == modified
    fate, expired_at = (None, None) if found else _fate(session, key)
    if any(each.kind == "delete" for each in exchange.operations[before:]):
        # The file engine deleted the session because it had expired. The engine relies on the
        # file's modification time, which is not affected by a moved clock.
        fate = KeyFate.EXPIRED
    if found and key:
        log.sessions.note_loaded(key)
    _add(
        exchange,
        "load",
        session,
        before,
        key=key,
        data=take_snapshot(data),
        found=found,
        key_fate=fate,
        expired_at=expired_at,
    )
    return data


def _fate(session: Any, key: str | None) -> tuple[KeyFate, float | None]:
    """Return why a key matches no session, and when its session expired, if it did."""
    engine = type(session).__module__
    if "cookie" in kinds(engine):
        expired_at = cookie_expiry(key or "", engine)
        fate = KeyFate.BAD_SIGNATURE if expired_at is None else KeyFate.EXPIRED
        return fate, expired_at
    return log.sessions.fate(key or "", time.time())


def _expiry(session: Any, data: dict[str, Any]) -> float | None:
    """Return when a session that is saved now will expire in the store, in POSIX seconds.

    Return None if it never does or if that is unknown. The file engine compares with the file's
    modification time, which a moved clock does not affect, and ignores a number of seconds that
    set_expiry() stored.
    """
    chosen = data.get("_session_expiry")
    try:
        if "file" in kinds(type(session).__module__) and not isinstance(chosen, str):
            real_time = time.time() - server_clock.moved()
            return None if chosen else real_time + session.get_expiry_age(expiry=None)
        expires: float = session.get_expiry_date(expiry=chosen).timestamp()
    except (TypeError, ValueError, OverflowError, AttributeError):  # not written by Django
        return None
    return expires


def _save(
    exchange: Exchange, save: Callable[..., Any], session: Any, must_create: bool = False
) -> None:
    new = must_create or session._session_key is None
    # One of Django's engines sets `modified` while it saves the session.
    before, modified = len(exchange.operations), session.modified
    save(session, must_create)
    if any(each.store_id == store_id(session) for each in exchange.operations[before:]):
        return  # save() called itself to create the session, so the operation is already recorded
    data = getattr(session, "_session_cache", {})
    expires = _expiry(session, data)
    if session._session_key:
        log.sessions.note_saved(session._session_key, expires)
    kind = "create" if new else "save"
    _add(exchange, kind, session, data=take_snapshot(data), modified=modified, expires=expires)


def _delete(
    exchange: Exchange, delete: Callable[..., Any], session: Any, session_key: str | None = None
) -> None:
    key = session_key or session._session_key
    delete(session, session_key)
    if key is not None:
        log.sessions.note_deleted(key, time.time())
        _add(exchange, "delete", session, key=key)
