"""Writes down every exchange of a test run, to compare it with another run of the same tests.

Two runs of the same tests differ in what is made at random, and in nothing else: keys and tokens
become *. pytest's option --lab-record names the file.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.http import HttpResponseBase

# Session keys, CSRF tokens, signatures: long runs of what base64 and Django's random texts have.
_RANDOM = re.compile(r"[A-Za-z0-9_.:-]{20,}|[a-z0-9]{6}(?=…)")
_LINE = re.compile(r'<link rel="stylesheet" href="/__lab__/static/panel.css">.*?</script>', re.S)
_HEADERS = ["Vary", "Location", "Allow", "Retry-After", "Content-Type", "Cache-Control"]


class Recording:
    """All exchanges so far, by the test they belong to."""

    def __init__(self) -> None:
        self._exchanges: dict[str, list[dict[str, Any]]] = {}
        self.test = ""

    def take(self, method: str, address: str, response: HttpResponseBase, queries: int) -> None:
        """One exchange, without the panel's line."""
        request = getattr(response, "wsgi_request", None)
        session = getattr(request, "__dict__", {}).get("session")
        self._exchanges.setdefault(self.test, []).append(
            {
                "request": _plain(f"{method} {address}"),
                "status": response.status_code,
                "headers": {h: _plain(response[h]) for h in _HEADERS if response.has_header(h)},
                "cookies": sorted(_plain(m.OutputString()) for m in response.cookies.values()),
                "accessed": getattr(session, "accessed", None),
                "modified": getattr(session, "modified", None),
                "queries": queries,
                "body": _body(response),
            }
        )

    def write(self, path: Path) -> None:
        """Write it all to a file, as JSON."""
        path.write_text(json.dumps(self._exchanges, indent=1), encoding="utf-8")


recording: Recording | None = None  # of this run, where one was asked for


@contextmanager
def counted() -> Iterator[list[int]]:
    """Within this block the number of database queries, in a list of one."""
    from django.db import connections

    count = [0]

    def wrapper(execute: Any, *arguments: Any) -> Any:
        count[0] += 1
        return execute(*arguments)

    # Only a connection that is open: to ask for another would open it.
    opened = connections.all(initialized_only=True)
    for connection in opened:
        connection.execute_wrappers.append(wrapper)
    try:
        yield count
    finally:
        for connection in opened:
            connection.execute_wrappers.remove(wrapper)


def differences(one: Path, two: Path) -> Iterator[str]:
    """Where two recordings of the same tests differ, a sentence each."""
    first, second = (json.loads(path.read_text(encoding="utf-8")) for path in (one, two))
    for test in sorted(first.keys() | second.keys()):
        left, right = first.get(test, []), second.get(test, [])
        if len(left) != len(right):
            yield f"{test}: {len(left)} exchanges, and {len(right)}"
        for before, after in zip(left, right, strict=False):
            for key in before:
                if before[key] != after[key]:
                    told = f"{str(before[key])[:300]!r} became {str(after[key])[:300]!r}"
                    yield f"{test}: {before['request']}: {key}: {told}"


def _plain(text: str) -> str:
    return _RANDOM.sub("*", text)


def _body(response: HttpResponseBase) -> str:
    if response.streaming:
        return ""
    return _plain(_LINE.sub("", response.content.decode("utf-8", "replace")))
