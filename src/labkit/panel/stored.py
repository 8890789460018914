"""What lies in the store now for one session, read past the session by the panel's own request."""

import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings

from labkit.base.session_times import clock_time
from labkit.panel.cookies import Lifetime


@dataclass(frozen=True)
class Stored:
    """The raw thing, and what it decodes to."""

    facts: list[tuple[str, str]]
    life: Lifetime | None = None
    decoded: str = ""


def in_store(engine: str, key: str, details: bool = True) -> Stored | None:
    """What `engine` (a dotted path) keeps under this key; None where there is nothing.

    A fault of the store is told as one, and not raised: the panel shall open even then.
    """
    name = engine.rpartition(".")[2]
    readers = {"db": _row, "cached_db": _row, "cache": _entry, "file": _file}
    readers["signed_cookies"] = _cookie
    try:
        if name in {"cached_db", "cache"} and (found := _entry(engine, key)):
            row = _row(engine, key) if name == "cached_db" else None
            more = row.facts if row else []
            return Stored([*found.facts, *more], row.life if row else None, found.decoded)
        return readers[name](engine, key) if name in readers else None
    except Exception as error:  # an absent database, a missing table, a folder that is not ours
        words = f"{type(error).__name__}: {error}" if details else "See the server's log."
        return Stored([("The store does not answer", words)])


def _row(engine: str, key: str) -> Stored | None:
    from django.contrib.sessions.models import Session

    row = Session.objects.filter(session_key=key).first()
    if row is None:
        return None
    data = row.get_decoded()
    left = row.expire_date.timestamp() - time.time()
    facts = [
        ("Row in django_session", row.session_key),
        ("session_data", row.session_data),
        ("expire_date", clock_time(row.expire_date)),
    ]
    whole = max(left, _whole(engine, data))
    return Stored(facts, Lifetime(whole, max(0.0, left)), _decoded(data))


def _whole(engine: str, data: dict[str, Any]) -> float:
    """The life that a write gives this session, in seconds."""
    store = import_module(engine).SessionStore()
    return float(store.get_expiry_age(expiry=data.get("_session_expiry")))


def _entry(engine: str, key: str) -> Stored | None:
    from django.core.cache import caches

    module = import_module(engine)
    cache = caches[settings.SESSION_CACHE_ALIAS]
    data = cache.get(module.KEY_PREFIX + key)
    if data is None:
        return None
    where = type(cache).__name__.removesuffix("Cache")
    return Stored(
        [(f"Entry in the cache ({where})", cache.make_key(module.KEY_PREFIX + key))],
        None,
        _decoded(data),
    )


def _file(engine: str, key: str) -> Stored | None:
    store = import_module(engine).SessionStore()
    path = Path(store._key_to_file(key))
    if not path.is_file():
        return None
    content = path.read_text(errors="replace")
    return Stored(
        [("File", path.name), ("Content", content)], None, _decoded(store.decode(content))
    )


def _cookie(engine: str, key: str) -> Stored | None:
    data = import_module(engine).SessionStore(key).load()
    facts = [("Store", "The cookie itself: the server keeps nothing.")]
    return Stored(facts, None, _decoded(data))


def _decoded(data: dict[str, Any]) -> str:
    return repr(data) if data else "Nothing: it is empty, or cannot be read."
