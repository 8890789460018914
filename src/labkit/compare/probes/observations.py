"""What a question looks at: cookies, what can be read in them, queries, and the server's stores."""

import base64
import contextlib
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any


def own_cookies(exchange: Any) -> list[str]:
    """The cookies that a request carried, but for Django's CSRF token: "name=value" each."""
    pairs = exchange.cookie_bytes.decode().split("; ")
    return [pair for pair in pairs if pair and not pair.startswith("csrftoken")]


def own_jar(visitor: Any) -> list[Any]:
    """The cookies that a browser holds, but for Django's CSRF token."""
    return [cookie for cookie in visitor.jar if not cookie.name.startswith("csrftoken")]


def opened(cookie: str) -> dict[str, Any]:
    """What anybody can read in a session cookie, without a key; {} where that is nothing."""
    payload = cookie.partition(":")[0]
    try:
        raw = base64.urlsafe_b64decode(payload.lstrip(".") + "==")
        inside = json.loads(zlib.decompress(raw) if payload.startswith(".") else raw)
    except (ValueError, zlib.error):
        return {}
    return inside if isinstance(inside, dict) else {}


def forged(value: str, old: str, new: str) -> str:
    """A cookie's or field's value with other text in it; a signature stays as it was."""
    if not (inside := opened(value)):
        return value.replace(old, new)
    text = json.dumps(inside, separators=(",", ":")).replace(old, new)
    body = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return ":".join([body, *value.split(":")[1:]])


def queries_in(act: Callable[[], Any]) -> int:
    """How many SQL statements on the table of sessions this takes.

    Those that begin and end a transaction do not count: within a test they are others.
    """
    from django.db import connections
    from django.test.utils import CaptureQueriesContext

    opened = [c for c in connections.all(initialized_only=True) if c.settings_dict["NAME"]]
    with contextlib.ExitStack() as stack:
        contexts = [stack.enter_context(CaptureQueriesContext(c)) for c in opened]
        act()
    return sum("django_session" in query["sql"] for context in contexts for query in context)


def on_server() -> dict[str, int]:
    """What lies on the server for all visitors: how many rows, entries of the cache, files."""
    return {"row": len(_rows()), "entry": len(_cache_entries()), "file": len(_session_files())}


def kept(**counts: int) -> str:
    """Things and how many there are as a cell says it: "1 row, 2 entries"; "nothing"."""
    plural = {"cookie": "cookies", "row": "rows", "entry": "entries", "file": "files"}
    told = [f"{n} {thing if n == 1 else plural[thing]}" for thing, n in counts.items() if n]
    return ", ".join(told) or "nothing"


def wipe_server() -> None:
    """Take away all that lies on the server for visitors, as `lab reset` does."""
    from django.core.cache import caches

    if rows := _rows():
        rows.delete()
    if _cache_entries():
        caches["default"].clear()
    for path in _session_files():
        path.unlink()


def _engine() -> str:
    from django.conf import settings

    installed = "django.contrib.sessions" in settings.INSTALLED_APPS
    return settings.SESSION_ENGINE.rpartition(".")[2] if installed else ""


def _rows() -> Any:
    if not _engine():
        return ()
    from django.contrib.sessions.models import Session

    return Session.objects.all()


def _cache_entries() -> Any:
    from django.core.cache import caches

    # What LocMem holds, ended or not; no other cache is asked these questions.
    return caches["default"]._cache if _engine() in {"cache", "cached_db"} else ()


def _session_files() -> list[Path]:
    from django.conf import settings

    return list(Path(settings.SESSION_FILE_PATH).iterdir()) if _engine() == "file" else []


def yes(fact: bool) -> str:
    """As a cell says it."""
    return "yes" if fact else "no"
