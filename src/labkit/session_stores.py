"""Read, list and delete sessions, whichever of Django's engines stores them.

`engine` is the dotted path of an engine; the default is SESSION_ENGINE. No other module
distinguishes between engines.
https://docs.djangoproject.com/en/5.2/topics/http/sessions/#configuring-the-session-engine
"""

import pickle
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from django.conf import settings
from django.core import signing
from django.core.cache import caches

from labkit.kept_files import remove

Kind = Literal["row", "entry", "file", "cookie"]
# The kinds of record in which each engine keeps sessions, in the order in which it reads them.
_KINDS: dict[str, tuple[Kind, ...]] = {
    "db": ("row",),
    "cached_db": ("entry", "row"),
    "cache": ("entry",),
    "file": ("file",),
    "signed_cookies": ("cookie",),
}


_COOKIE_SALT = "django.contrib.sessions.backends.signed_cookies"


@dataclass(frozen=True)
class Record:
    """A row, cache entry, file or cookie in which an engine keeps one session."""

    kind: Kind
    # The session_key of a row, the full key of a cache entry, or the name of a file or cookie.
    name: str
    data: dict[str, Any]  # the decoded session data; empty if it cannot be read
    content: str = ""  # the text as stored, for a row or file
    expires: datetime | None = None  # None unless the record is a row or cookie


def has_sessions() -> bool:
    """Return whether this project uses sessions."""
    return any("SessionMiddleware" in name for name in settings.MIDDLEWARE)


def engine_name(engine: str = "") -> str:
    """Return the last part of an engine's path, such as "cached_db", or "" without sessions."""
    if not engine and not has_sessions():
        return ""
    return (engine or settings.SESSION_ENGINE).rpartition(".")[2]


def kinds(engine: str = "") -> tuple[Kind, ...]:
    """Return the kinds of record in which an engine keeps a session; () for an unknown engine."""
    return _KINDS.get(engine_name(engine), ())


def session_store(engine: str = "") -> Any:
    """Return an engine's SessionStore class."""
    return import_module(engine or settings.SESSION_ENGINE).SessionStore


def read(key: str, engine: str = "") -> list[Record]:
    """Return the records that an engine keeps for a session key, without loading the session.

    Raises the store's exceptions if the store cannot be read.
    """
    readers = {"row": _read_row, "entry": _read_entry, "file": _read_file, "cookie": _read_cookie}
    found = (readers[kind](key, engine) for kind in kinds(engine))
    return [record for record in found if record is not None]


def _read_row(key: str, engine: str) -> Record | None:
    row = rows(engine).filter(session_key=key).first()
    if row is None:
        return None
    return Record("row", row.session_key, row.get_decoded(), row.session_data, row.expire_date)


def _read_entry(key: str, engine: str) -> Record | None:
    cache, cache_key = _cache(), session_store(engine).cache_key_prefix + key
    data = cache.get(cache_key)
    return None if data is None else Record("entry", cache.make_key(cache_key), data)


def _read_file(key: str, engine: str) -> Record | None:
    store = session_store(engine)()
    path = Path(store._key_to_file(key))
    if not path.is_file():
        return None
    content = path.read_text(encoding="utf-8", errors="replace")
    return Record("file", path.name, store.decode(content), content)


def _read_cookie(key: str, engine: str) -> Record:
    data, expires = session_store(engine)(key).load(), cookie_expiry(key, engine)
    moment = None if expires is None else datetime.fromtimestamp(expires, UTC)
    return Record("cookie", settings.SESSION_COOKIE_NAME, data, expires=moment)


def cookie_expiry(value: str, engine: str = "") -> float | None:
    """Return the expiry, in POSIX seconds, of a session kept in a signed cookie.

    value: the cookie's value. Return None if this server did not sign it.
    https://docs.djangoproject.com/en/5.2/topics/http/sessions/#using-cookie-based-sessions
    """
    store = session_store(engine)()
    try:
        signing.loads(value, serializer=store.serializer, salt=_COOKIE_SALT)
    except Exception:  # visitors can send any value; if it is invalid, Django starts a new session
        return None
    signed_at = signing.b62_decode(value.rsplit(":", 2)[1])
    return float(signed_at + store.get_session_cookie_age())


def cache_name() -> str:
    """Return the class name of the session cache without "Cache", such as "LocMem"."""
    return type(_cache()).__name__.removesuffix("Cache")


def describe_engine() -> str:
    """Return the engine and its cache, such as "db" or "cache, LocMem"; "" without sessions."""
    return ", ".join([engine_name(), cache_name()] if "entry" in kinds() else [engine_name()])


def _cache() -> Any:
    return caches[settings.SESSION_CACHE_ALIAS]


def rows(engine: str = "") -> Any:
    """Return a queryset of all session rows, for an engine that uses the database."""
    return session_store(engine).get_model_class().objects.all()


def record_sizes() -> dict[Kind, list[int]]:
    """Return the size in bytes of each row, cache entry and file in the store, by kind.

    Expired records are included. LocMem is the only cache whose entries can be listed.
    """
    sizes: dict[Kind, list[int]] = {"row": [], "entry": [], "file": []}
    if "row" in kinds():
        sizes["row"] = list(map(len, rows().values_list("session_data", flat=True)))
    if "entry" in kinds():
        entries = _cache()._cache.values()
        sizes["entry"] = [len(e if isinstance(e, bytes) else pickle.dumps(e)) for e in entries]
    if "file" in kinds():
        paths = Path(settings.SESSION_FILE_PATH).glob("*")
        sizes["file"] = [path.stat().st_size for path in paths]
    return sizes


def count_records() -> dict[str, int]:
    """Return the number of rows, cache entries and files in the store, by kind."""
    return {kind: len(sizes) for kind, sizes in record_sizes().items()}


def wipe() -> None:
    """Delete all visitors' sessions from the server."""
    if "row" in kinds():
        rows().delete()
    if "entry" in kinds():
        wipe_cache()
    if "file" in kinds():
        wipe_files(settings.SESSION_FILE_PATH)


def wipe_cache() -> int:
    """Empty the session cache (LocMem or Redis), and return the number of deleted entries.

    In Redis, which may be shared, delete only this project's keys.
    """
    cache = _cache()
    if "redis" not in type(cache).__module__:
        count = len(getattr(cache, "_cache", ()))
        cache.clear()
        return count
    client = cache._cache.get_client()
    return sum(client.delete(key) for key in client.scan_iter(match=cache.make_key("*")))


def wipe_files(*folders: str | Path) -> int:
    """Delete the session files in these folders, and return the number of files.

    The folders are kept, because a running server would not notice a new folder.
    """
    paths = [path for folder in folders for path in Path(folder).glob("*")]
    for path in paths:
        remove(path)
    return len(paths)
