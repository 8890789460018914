"""Represent an exchange as JSON, for other programs. docs/testing.md describes the fields."""

from datetime import UTC, datetime
from typing import Any

from labkit.http.cookie_header import from_wire
from labkit.panel.connection import connection_kind
from labkit.panel.cookie_explanations import ResponseCookie, request_cookies
from labkit.panel.exchange_outcome import Outcome
from labkit.panel.models import Exchange, StoreOperation


def outcome(exchange: Exchange) -> dict[str, Any]:
    """Return all that the instructor's panel shows of an exchange, except for the session's data.

    Times are in ISO format with the time zone; lengths of time are in seconds.
    """
    return {
        "request": {
            "connection": connection_kind(exchange),
            "cookies": [
                {"name": name, "value": value, "bytes": size, "owner": owner.kind}
                for name, value, size, owner in request_cookies(exchange)
            ],
        },
        "response": {
            "status": exchange.status,
            "location": exchange.location,
            "content_type": exchange.content_type,
            "bytes": exchange.length,
            "exception": exchange.crash.name if exchange.crash else "",
        },
        "cookies": [_cookie(line, exchange) for line in exchange.set_cookies],
        "session": _session(exchange) if exchange.engine else None,
        "store": [_operation(each, exchange) for each in exchange.operations],
        "timing": {
            "server_time": _time(exchange.at),
            "clock_ahead": exchange.clock_ahead,
            "seconds": round(exchange.duration, 6),
        },
    }


def _cookie(line: str, exchange: Exchange) -> dict[str, Any]:
    """Return a cookie that the response sets or deletes."""
    cookie = ResponseCookie(line, exchange)
    parsed = cookie.parsed
    lasts = parsed is not None and parsed.expires is not None and not cookie.deletion
    return {
        "name": cookie.name,
        "owner": cookie.owner.kind,
        "effect": cookie.effect,
        "refusal": cookie.refusal,
        "lifetime": parsed.expires - exchange.at if lasts and parsed and parsed.expires else None,
        "header": from_wire(line).encode("utf-8", "replace").decode(),
    }


def _session(exchange: Exchange) -> dict[str, Any]:
    """Return what happened to the visitor's session, as JSON values."""
    found = Outcome(exchange)
    return {
        "engine": exchange.engine,
        "event": found.event,
        "save_cause": found.save_cause or "",
        "modified": exchange.modified,
        "key_before": found.key_before,
        "key_after": found.key_after,
        "key_fate": found.key_fate or "",
        "expired_at": _time(found.expired_at),
    }


def _operation(operation: StoreOperation, exchange: Exchange) -> dict[str, Any]:
    """Return an operation on the store, as JSON values."""
    return {
        "kind": operation.kind,
        "key": operation.key or "",
        "own": operation.store_id == exchange.store_id,
        "found": operation.found,
        "error": operation.error,
        "expires": _time(operation.expires),
    }


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
