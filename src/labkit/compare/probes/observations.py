"""What a question looks at: cookies, what can be read in them, and queries."""

import base64
import contextlib
import json
import zlib
from collections.abc import Callable
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


def yes(fact: bool) -> str:
    """As a cell says it."""
    return "yes" if fact else "no"
