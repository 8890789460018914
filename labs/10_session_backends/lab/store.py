"""Read the engine's stored data about this visitor directly, without changing them."""

import re
from pathlib import Path

from django.conf import settings
from django.contrib.sessions.backends import cache, cached_db, file, signed_cookies
from django.contrib.sessions.models import Session
from django.core.cache import caches

from labkit.base.session_expiry import clock_time

UNREADABLE = "Unreadable: it is empty, corrupted or from another program."


def read_store(request, engine):
    """Return the engine's stored data about this visitor, as (question, answer) pairs."""
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    # A visitor can send any text as a key, and the engine `file` uses the key as a file name.
    valid = key if engine == "signed_cookies" else re.fullmatch("[0-9a-z]{32}", key)
    readers = {
        "db": in_table,
        "cached_db": lambda key: [*in_table(key), *in_cache(key, cached_db.KEY_PREFIX)],
        "cache": in_cache,
        "file": in_file,
        "signed_cookies": in_cookie,
    }
    return readers[engine](key) if valid else []


def in_table(key):
    for row in Session.objects.filter(session_key=key):
        yield "session_key in the row", row.session_key
        yield "session_data in the row", row.session_data
        yield "expire_date in the row", clock_time(row.expire_date)
        yield "session_data decoded", row.get_decoded() or UNREADABLE


def in_cache(key, prefix=cache.KEY_PREFIX):
    store = caches[settings.SESSION_CACHE_ALIAS]
    if entry := store.get(prefix + key):
        yield "Key in the cache", store.make_key(prefix + key)
        yield "Value in the cache", entry


def in_file(key):
    path = Path(settings.SESSION_FILE_PATH, settings.SESSION_COOKIE_NAME + key)
    if path.is_file():
        content = path.read_text(encoding="utf-8", errors="replace")
        yield "File", path.relative_to(path.parents[3]).as_posix()
        yield "Content", content
        yield "Content decoded", file.SessionStore().decode(content) or UNREADABLE


def in_cookie(key):
    cookie = f"{settings.SESSION_COOKIE_NAME}={key}"
    yield f"Cookie, {len(cookie) - 1} bytes of 4096 at most", cookie
    yield "Cookie decoded", signed_cookies.SessionStore(key).load() or UNREADABLE
