"""Observes sessions as code reads and writes them and as the server loads and saves them.

Two attributes of SessionBase, `accessed` and `modified`, become descriptors that record who sets
them, and the store's own load, save and delete record each operation. The session's class stays the
same, because its name is part of the salt that signs a session.
https://docs.djangoproject.com/en/5.2/topics/http/sessions/#extending-database-backed-session-engines
"""

import functools
import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase

from labkit.panel.log import log
from labkit.panel.models import Exchange, SessionAccess, StoreOperation, take_snapshot

current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)
Surround = Callable[[str], AbstractContextManager[None]]
_surround: ContextVar[Surround | None] = ContextVar("surround", default=None)

_store_ids = itertools.count(1)
_roles: dict[str, str] = {}  # Python file -> its role, see _role_of
_MARK = "_labkit_observed"
_DJANGO = str(Path(django.__file__).parent)
_SESSIONS = str(Path(_DJANGO, "contrib", "sessions"))
_HERE = str(Path(__file__).parent)


def observe_sessions(store: type[SessionBase]) -> None:
    """Observe every session of this SessionStore class from now on; a second call does nothing."""
    if _MARK not in SessionBase.__dict__:
        setattr(SessionBase, _MARK, True)
        SessionBase.accessed = _ObservedFlag("accessed", is_write=False)
        SessionBase.modified = _ObservedFlag("modified", is_write=True)
    if _MARK not in store.__dict__:
        setattr(store, _MARK, True)
        for name, wrapper in _WRAPPERS.items():
            setattr(store, name, _surrounded(wrapper(getattr(store, name))))


def store_id(session: Any) -> int:
    """Return a number for this SessionStore object that no other one gets, unlike id()."""
    number: int = session.__dict__.get("_labkit_id") or next(_store_ids)
    session.__dict__["_labkit_id"] = number
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
    """Record the innermost line of the lab on the stack, or the innermost line outside Django's."""
    frame: Any = sys._getframe(2)
    first = None
    while frame is not None:
        role = _roles.get(file := frame.f_code.co_filename) or _role_of(file)
        if role == "lab":
            break
        if role == "middleware":
            return  # Django's own bookkeeping
        if role == "other" and first is None:
            first = frame
        frame = frame.f_back
    found = frame or first
    if found is not None:
        accesses = exchange.accesses.setdefault(store_id(session), {})
        accesses[found.f_code.co_filename, found.f_lineno, is_write] = frame is not None


def _role_of(file: str) -> str:
    """Return a file's role: "lab", session "middleware", "inside" of sessions, or "other"."""
    if file.startswith(str(settings.FOLDER)):
        role = "lab"
    elif file.startswith(_SESSIONS):
        role = "middleware" if file.endswith("middleware.py") else "inside"
    else:
        role = "inside" if file.startswith(_HERE) else "other"
    _roles[file] = role
    return role


def session_accesses(exchange: Exchange) -> Iterator[SessionAccess]:
    """Yield the lines that read or wrote the visitor's session, in the order they first did."""
    recorded = exchange.accesses.get(exchange.store_id or 0, {})
    for (file, line, is_write), in_lab in recorded.items():
        shown = file.removeprefix(str(settings.FOLDER)) if in_lab else _library_path(file)
        yield SessionAccess(is_write, f"{shown.lstrip('/')}:{line}", in_lab)


@functools.cache
def _library_path(file: str) -> str:
    """Return a file of an installed library relative to the folder of libraries."""
    parent = str(Path(_DJANGO).parent)
    return Path(file.removeprefix(parent)).as_posix() if file.startswith(parent) else file


# Operations of the store


@contextmanager
def surrounded_by(surround: Surround) -> Iterator[None]:
    """Enter surround("load"), ("save") or ("delete") around each operation of this thread's block.

    When that context exits, `operations()` has the operation.
    """
    surrounding, exchange = _surround.set(surround), current.set(None)
    try:
        yield
    finally:
        current.reset(exchange)
        _surround.reset(surrounding)


def operations() -> list[StoreOperation]:
    """Return the operations of this thread's request so far."""
    exchange = current.get()
    return exchange.operations if exchange else []


def _surrounded(operate: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(operate)
    def surrounded(self: Any, *args: Any, **kwargs: Any) -> Any:
        surround = _surround.get()
        if surround is None:
            return operate(self, *args, **kwargs)
        if current.get() is None:  # with LAB_PANEL=0 there is no middleware that begins one
            current.set(log.begin(**dict.fromkeys(_REQUEST, "")))
        with surround(operate.__name__):
            return operate(self, *args, **kwargs)

    return surrounded


def _load(load: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(load)
    def observed(self: Any) -> Any:
        exchange = current.get()
        if exchange is None:
            return load(self)
        key = self._session_key
        try:
            data = load(self)
        except Exception as error:
            failure = StoreOperation("load", store_id(self), key, error=_error_text(error))
            exchange.operations.append(failure)
            raise
        found = self._session_key is not None
        operation = StoreOperation("load", store_id(self), key, take_snapshot(data), found)
        exchange.operations.append(operation)
        return data

    return observed


def _save(save: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(save)
    def observed(self: Any, must_create: bool = False) -> Any:
        exchange = current.get()
        if exchange is None:
            return save(self, must_create)
        new = must_create or self._session_key is None
        before, modified = len(exchange.operations), self.modified  # one engine sets it as it saves
        try:
            result = save(self, must_create)
        except Exception as error:
            failure = StoreOperation(
                "save", store_id(self), self._session_key, error=_error_text(error)
            )
            exchange.operations.append(failure)
            raise
        if any(each.store_id == store_id(self) for each in exchange.operations[before:]):
            return result  # it has called itself to create the session, and that is recorded
        data = take_snapshot(getattr(self, "_session_cache", {}))
        kind = "create" if new else "save"
        operation = StoreOperation(kind, store_id(self), self._session_key, data, modified=modified)
        exchange.operations.append(operation)
        return result

    return observed


def _delete(delete: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(delete)
    def observed(self: Any, session_key: str | None = None) -> Any:
        exchange = current.get()
        key = session_key or self._session_key
        result = delete(self, session_key)
        if exchange is not None and key is not None:
            exchange.operations.append(StoreOperation("delete", store_id(self), key))
        return result

    return observed


def _error_text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


_REQUEST = ("method", "path", "peer", "agent", "host", "scheme", "cookie_header")
_WRAPPERS = {"load": _load, "save": _save, "delete": _delete}
