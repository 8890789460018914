"""Functions that probes share: read, decode and forge cookies, and count queries."""

import base64
import contextlib
import json
import zlib
from collections.abc import Callable
from typing import Any


def sent_cookies(exchange: Any) -> list[str]:
    """Return the request's cookies as "name=value", without Django's CSRF token."""
    pairs = exchange.cookie_bytes.decode().split("; ")
    return [pair for pair in pairs if pair and not pair.startswith("csrftoken")]


def stored_cookies(visitor: Any) -> list[Any]:
    """Return the cookies in the browser, without Django's CSRF token."""
    return [cookie for cookie in visitor.jar if not cookie.name.startswith("csrftoken")]


def decode_cookie(cookie: str) -> dict[str, Any]:
    """Return the session data that anyone can decode from a cookie, or {} if there is none."""
    payload = cookie.partition(":")[0]
    try:
        raw = base64.urlsafe_b64decode(payload.lstrip(".") + "==")
        inside = json.loads(zlib.decompress(raw) if payload.startswith(".") else raw)
    except (ValueError, zlib.error):
        return {}
    return inside if isinstance(inside, dict) else {}


def forge(value: str, old: str, new: str) -> str:
    """Replace text in the value of a cookie or field, without changing its signature."""
    if not (inside := decode_cookie(value)):
        return value.replace(old, new)
    text = json.dumps(inside, separators=(",", ":")).replace(old, new)
    body = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return ":".join([body, *value.split(":")[1:]])


def count_queries(act: Callable[[], Any]) -> int:
    """Return the number of SQL statements on the session table during `act`.

    Statements that begin or end a transaction are not counted, because tests and servers use
    different ones.
    """
    from django.db import connections
    from django.test.utils import CaptureQueriesContext

    opened = [c for c in connections.all(initialized_only=True) if c.settings_dict["NAME"]]
    with contextlib.ExitStack() as stack:
        contexts = [stack.enter_context(CaptureQueriesContext(c)) for c in opened]
        act()
    return sum("django_session" in query["sql"] for context in contexts for query in context)


def yes_or_no(fact: bool) -> str:
    """Return "yes" or "no", as written in a table's cell."""
    return "yes" if fact else "no"
