"""Report the last exchanges, cookies and sessions of a failed test."""

import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from labkit.http.set_cookie import Cookie
from labkit.testing.base_visitor import BaseVisitor, visitors_of_this_test

SHOWN = 3  # exchanges of each visitor
MOST_ROWS = 10
CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
MOVED = "the clock moved by {seconds} s"
LAST_EXCHANGES = "last exchanges of {}"
STORE_HEADING = "the session store"


def report_sections(fixtures: dict[str, Any]) -> list[tuple[str, str]]:
    """Return a (title, text) pair for each visitor that sent requests, and for the store."""
    names = {id(value): name for name, value in fixtures.items()}
    moved = "clock" in fixtures
    sections = []
    for number, browser in enumerate(sorted(visitors_of_this_test, key=lambda b: b.born), 1):
        if browser.exchanges:
            name = names.get(id(browser), f"visitor {number}")
            sections.append((LAST_EXCHANGES.format(name), "\n\n".join(_exchanges(browser, moved))))
    if sections:
        sections.append((STORE_HEADING, "\n".join(_store())))
    return sections


def _exchanges(browser: BaseVisitor, moved: bool) -> Iterator[str]:
    """Yield the last exchanges, always with the last change, and the clock's moves in between.

    moved: whether the test uses a clock that stands still until the test moves it.
    """
    *before, last = browser.exchanges
    shown = [*before[-SHOWN + 1 :], last]
    if not any(each.method in CHANGING for each in shown):
        shown = [*[each for each in before if each.method in CHANGING][-1:], *shown]
    hidden = len(browser.exchanges) - len(shown)
    if hidden > 0:
        yield f"({hidden} more before these)"
    yield str(shown[0])
    for one, other in pairwise(shown):
        seconds = round(other.sent_at - one.sent_at)
        if moved and seconds:
            yield MOVED.format(seconds=seconds)
        yield str(other)
    held = [_cookie(cookie) for cookie in browser.jar]
    yield "\n  ".join(["in the jar now:", *(held or ["nothing"])])


def _cookie(cookie: Cookie) -> str:
    if cookie.expires is None:
        life = "until the browser closes"
    else:
        life = f"{cookie.expires - time.time():.0f} s left"
    return f"{cookie.pair[:100]}  ({cookie.domain}{cookie.path}, {life})"


def _store() -> Iterator[str]:
    """Yield a line for each stored session."""
    from django.conf import settings

    from labkit import session_stores

    if not session_stores.has_sessions():
        yield "this project has no sessions; its state is in the jar"
        return
    if "row" not in session_stores.kinds():
        yield f"{settings.SESSION_ENGINE} cannot be listed"
        return
    try:
        rows = list(session_stores.rows()[: MOST_ROWS + 1])
    except Exception as error:  # the report shows everything else even if the database is broken
        yield f"cannot be read: {type(error).__name__}: {error}"
        return
    for row in rows[:MOST_ROWS]:
        left = row.expire_date.timestamp() - time.time()
        yield f"{row.session_key}  {left:.0f} s left  {row.get_decoded()}"
    if not rows:
        yield "no session"
    if len(rows) > MOST_ROWS:
        yield "... and more"
