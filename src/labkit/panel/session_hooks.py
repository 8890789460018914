"""Watches sessions as they are read, written, loaded and saved, and changes nothing about it.

Two attributes of SessionBase, `accessed` and `modified`, become descriptors that note who sets
them, and the store's own load, save and delete note what passes. The class stays
the same one: its name is part of the salt that signs a session.
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

from labkit.panel.log import Exchange, SessionAccess, StoreOperation, log, note

current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)
Surround = Callable[[str], AbstractContextManager[None]]
_surround: ContextVar[Surround | None] = ContextVar("surround", default=None)

_numbers = itertools.count(1)
_kinds: dict[str, str] = {}  # file -> what it is
_MARK = "_labkit_watched"
_DJANGO = str(Path(django.__file__).parent)
_SESSIONS = str(Path(_DJANGO, "contrib", "sessions"))
_HERE = str(Path(__file__).parent)


def watch(store: type[SessionBase]) -> None:
    """Watch every session of this engine's class, once and for all."""
    if _MARK not in SessionBase.__dict__:
        setattr(SessionBase, _MARK, True)
        SessionBase.accessed = _Noted("accessed", wrote=False)
        SessionBase.modified = _Noted("modified", wrote=True)
    if _MARK not in store.__dict__:
        setattr(store, _MARK, True)
        for name, wrapper in _WRAPPERS.items():
            setattr(store, name, _surrounded(wrapper(getattr(store, name))))


def store_id(session: Any) -> int:
    """A number for this SessionStore, never given twice (id() may be)."""
    number: int = session.__dict__.get("_labkit_id") or next(_numbers)
    session.__dict__["_labkit_id"] = number
    return number


class _Noted:
    """An attribute that is true or false, and notes where it is set to true."""

    def __init__(self, name: str, *, wrote: bool) -> None:
        self._name, self._wrote = f"_labkit_{name}", wrote

    def __get__(self, session: Any, owner: type) -> Any:
        return self if session is None else session.__dict__.get(self._name, False)

    def __set__(self, session: Any, value: bool) -> None:
        session.__dict__[self._name] = value
        if value and (exchange := current.get()) is not None:
            _touched(exchange, session, self._wrote)


def _touched(exchange: Exchange, session: Any, wrote: bool) -> None:
    """Note the innermost line of the lab that led here, else of whoever asked first."""
    frame: Any = sys._getframe(2)
    first = None
    while frame is not None:
        kind = _kinds.get(file := frame.f_code.co_filename) or _kind(file)
        if kind == "lab":
            break
        if kind == "middleware":
            return  # Django's own bookkeeping
        if kind == "other" and first is None:
            first = frame
        frame = frame.f_back
    found = frame or first
    if found is not None:
        touches = exchange.touches.setdefault(store_id(session), {})
        touches[found.f_code.co_filename, found.f_lineno, wrote] = frame is not None


def _kind(file: str) -> str:
    """What a file of Python is here: the lab's, the middleware of sessions, inside, or other."""
    if file.startswith(str(settings.FOLDER)):
        kind = "lab"
    elif file.startswith(_SESSIONS):
        kind = "middleware" if file.endswith("middleware.py") else "inside"
    else:
        kind = "inside" if file.startswith(_HERE) else "other"
    _kinds[file] = kind
    return kind


def touches(exchange: Exchange) -> Iterator[SessionAccess]:
    """Who read and wrote the visitor's session, in the order in which they first did."""
    for (file, line, wrote), own in exchange.touches.get(exchange.session or 0, {}).items():
        shown = file.removeprefix(str(settings.FOLDER)) if own else _module(file)
        yield SessionAccess(wrote, f"{shown.lstrip('/')}:{line}", own)


@functools.cache
def _module(file: str) -> str:
    """A file of a library by the names that an import has."""
    parent = str(Path(_DJANGO).parent)
    return Path(file.removeprefix(parent)).as_posix() if file.startswith(parent) else file


# What passes between server and store


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
    return exchange.passages if exchange else []


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
    def watched(self: Any) -> Any:
        exchange = current.get()
        if exchange is None:
            return load(self)
        asked = self._session_key
        try:
            data = load(self)
        except Exception as error:
            exchange.passages.append(
                StoreOperation("load", store_id(self), asked, failed=_words(error))
            )
            raise
        found = self._session_key is not None
        exchange.passages.append(StoreOperation("load", store_id(self), asked, note(data), found))
        return data

    return watched


def _save(save: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(save)
    def watched(self: Any, must_create: bool = False) -> Any:
        exchange = current.get()
        if exchange is None:
            return save(self, must_create)
        new = must_create or self._session_key is None
        before, modified = len(exchange.passages), self.modified  # one engine sets it as it saves
        try:
            result = save(self, must_create)
        except Exception as error:
            failed = StoreOperation("save", store_id(self), self._session_key, failed=_words(error))
            exchange.passages.append(failed)
            raise
        if any(p.store == store_id(self) for p in exchange.passages[before:]):
            return result  # it has called itself, to create the session
        data = note(getattr(self, "_session_cache", {}))
        kind = "create" if new else "save"
        saved = StoreOperation(kind, store_id(self), self._session_key, data, modified=modified)
        exchange.passages.append(saved)
        return result

    return watched


def _delete(delete: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(delete)
    def watched(self: Any, session_key: str | None = None) -> Any:
        exchange = current.get()
        key = session_key or self._session_key
        result = delete(self, session_key)
        if exchange is not None and key is not None:
            exchange.passages.append(StoreOperation("delete", store_id(self), key))
        return result

    return watched


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


_REQUEST = ("method", "path", "peer", "agent", "host", "scheme", "cookie_header")
_WRAPPERS = {"load": _load, "save": _save, "delete": _delete}
