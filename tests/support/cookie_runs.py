"""Run a case of cookie_cases.py in the jar."""

import contextlib

from cookie_steps import Age, Reopen, Request, Script, Set, Stored, Wait

from labkit.http.jar import Jar
from labkit.http.origin import Context, Origin
from labkit.http.set_cookie import CookieRefusal


def runs_in_the_jar(case, clock):
    """Raises AssertionError if the jar does not behave as the case says."""
    jar = Jar()
    for step in case.steps:
        match step:
            case Set(url, lines, by, page):
                for line in lines:
                    offer(jar, line, url, cause(by, page))
            case Script(url, line):
                offer(jar, line, url, Context(http_api=False))
            case Request(url, header, by, page):
                assert jar.header(Origin.of(url), cause(by, page)) == header
            case Stored(session, persistent):
                assert {c.name for c in jar if c.expires is None} == set(session.split())
                assert {c.name for c in jar if c.expires is not None} == set(persistent.split())
            case Age(seconds) | Wait(seconds):
                clock.forward(seconds=seconds)
            case Reopen(blocked):
                jar.close_browser()
                jar.blocked = blocked


def offer(jar, line, url, context=Context()):  # noqa: B008 it is frozen
    with contextlib.suppress(CookieRefusal):  # like a browser, ignore an invalid cookie silently
        jar.store(line, Origin.of(url), context)


def cause(by, page):
    initiator = Origin.of(page) if page else None
    method = "POST" if by == "form" else "GET"
    return Context(method, initiator, top_level=by != "image", http_api=by != "script")
