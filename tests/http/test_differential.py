"""The visitor's jar and a real Chromium agree on random Set-Cookie lines.

`nox -s differential` always draws the same lines, and `-- --lines 2000` draws new ones. To repeat a
failure, use `--seed` with the number that the failing run printed. If the jar and Chromium differ
on a line, add the line as a case to cookie_cases.py.
"""

import contextlib
import random
import time
from collections import Counter
from dataclasses import replace

import pytest
from cookie_lines import (
    DATES,
    LEAST,
    LINES_IN_CI,
    PREFIXES,
    SEEDS_IN_CI,
    attributes,
    draw_eviction,
    draw_visits,
)
from cookie_server import BROWSER_ARGUMENTS, CookieServer, Tab
from cookie_steps import HOME

from labkit.http import set_cookie
from labkit.http.jar import Jar
from labkit.http.origin import Context, Origin
from labkit.http.set_cookie import CookieRefusal
from labkit.testing.chromium import Chromium

pytestmark = pytest.mark.differential
CLASSES = {*PREFIXES, *DATES, *attributes(HOME), "Expires"}


class InChromium:
    """A Chromium without cookies, and the server whose pages it opens."""

    def __init__(self, playwright, profile):
        self._server = CookieServer()
        self._browser = Chromium(playwright, profile, arguments=BROWSER_ARGUMENTS)
        self._tab = Tab(self._browser.page, self._server)
        self._protocol = self._browser.page.context.new_cdp_session(self._browser.page)

    def close(self):
        self._browser.close()
        self._server.close()

    def visit(self, visit):
        """Return (expiry of each cookie, its other attributes, the Cookie header)."""
        self._server.forget()
        self._protocol.send("Network.clearBrowserCookies")
        lines = [line.text for line in visit.lines]
        if visit.script:
            self._tab.open(visit.url)
            self._tab.page.evaluate("lines => { for (document.cookie of lines); }", lines)
        else:
            self._server.answer(visit.url, lines)
            self._tab.request(visit.url)
        stored = self._protocol.send("Network.getAllCookies")["cookies"]
        self._server.forget()
        self._tab.request(visit.then)
        header = self._server.cookie_header(visit.then)
        return {
            (c["name"], c["domain"], c["path"], c.get("partitionKey", {}).get("topLevelSite")): (
                {
                    "value": c["value"],
                    "secure": c["secure"],
                    "http_only": c["httpOnly"],
                    "same_site": c.get("sameSite", "Default"),
                    "priority": c["priority"],
                },
                None if c["session"] else c["expires"],
            )
            for c in stored
        }, header


def visit_in_the_jar(visit):
    """As InChromium.visit()."""
    jar, source = Jar(), Origin.of(visit.url)
    for line in visit.lines:
        with contextlib.suppress(CookieRefusal):
            jar.store(line.text, source, Context(http_api=not visit.script))
    return {
        (c.name, domain_of(c), c.path, site_of(c)): (
            {
                "value": c.value,
                "secure": c.secure,
                "http_only": c.http_only,
                "same_site": str(c.same_site),
                "priority": str(c.priority),
            },
            c.expires,
        )
        for c in jar
    }, jar.header(Origin.of(visit.then))


def site_of(cookie):
    """Return a partition as Chromium names it: a URL without a path."""
    if cookie.partition is not None:
        return f"{cookie.partition[0]}://{Origin(*cookie.partition).url_host}"


def domain_of(cookie):
    """Return a domain as Chromium writes it: with a leading dot unless it is host-only."""
    return Origin("http", cookie.domain).url_host if cookie.host_only else f".{cookie.domain}"


def find_differences(chromium, visit):
    """Yield a sentence for each difference between the jar and Chromium after this visit."""
    begin = time.time()
    (there, sent_there), (here, sent_here) = chromium.visit(visit), visit_in_the_jar(visit)
    # An expiry may differ by this, since the jar stores a cookie after Chromium does.
    slack = time.time() - begin + 1
    for key in sorted(there.keys() | here.keys(), key=str):
        if key not in there or key not in here:
            yield f"{key} is only in {'Chromium' if key in there else 'the jar'}"
            continue
        (in_chromium, expires_there), (in_jar, expires_here) = there[key], here[key]
        if in_chromium != in_jar:
            yield f"{key} is {in_chromium} in Chromium and {in_jar} in the jar"
        if (expires_there is None) != (expires_here is None) or (
            expires_there is not None and abs(expires_there - expires_here) > slack
        ):
            yield f"{key} expires at {expires_there} in Chromium and at {expires_here} in the jar"
    if sent_there != sent_here:
        yield f"Chromium sends {sent_there!r} to {visit.then}, the jar {sent_here!r}"


def report(chromium, visit, differences):
    """Return the lines that cause the difference: single lines if possible, otherwise all lines."""
    alone = [
        line
        for line in visit.lines
        if list(find_differences(chromium, replace(visit, lines=(line,))))
    ]
    lines = [f"  {line.text!r}" for line in alone or visit.lines]
    source = f"a script at {visit.url}" if visit.script else visit.url
    return "\n".join([f"{source} sets", *lines, *differences])


@pytest.fixture(scope="module")
def chromium(playwright_driver, tmp_path_factory):
    chromium = InChromium(playwright_driver, tmp_path_factory.mktemp("profile"))
    yield chromium
    chromium.close()


def seeds_and_lines(config):
    """Return [(seed, number of lines)], from the options or the defaults for CI."""
    lines, seed = config.getoption("lines"), config.getoption("seed")
    if lines is None and seed is None:
        return [(number, LINES_IN_CI // len(SEEDS_IN_CI)) for number in SEEDS_IN_CI]
    return [(random.randrange(2**32) if seed is None else seed, lines or LINES_IN_CI)]


def test_they_do_the_same_with_random_lines(chromium, pytestconfig):
    found, counts, total = [], Counter(), 0
    for seed, lines in seeds_and_lines(pytestconfig):
        total += lines
        visits = draw_visits(seed, lines)
        # Chromium takes longer to open a page on another host.
        for visit in sorted(visits, key=lambda visit: Origin.of(visit.url).host):
            counts["lines"] += len(visit.lines)
            counts.update(name for line in visit.lines for name in line.classes)
            if differences := list(find_differences(chromium, visit)):
                said = report(chromium, visit, differences)
                found.append(f"--seed {seed} --lines {lines}: {said}")
    assert not found, "\n\n".join(found)
    assert counts["lines"] >= total
    least = LEAST * total / LINES_IN_CI
    assert {name: counts[name] for name in CLASSES if counts[name] < least} == {}


@pytest.mark.parametrize("number", range(5))
def test_they_evict_the_same_cookies(chromium, number):
    assert list(find_differences(chromium, draw_eviction(number))) == []


def test_a_fault_in_the_jar_makes_a_difference(chromium, monkeypatch):
    monkeypatch.setattr(set_cookie, "read_expiry", lambda attributes, now: None)
    assert any(list(find_differences(chromium, visit)) for visit in draw_visits(1, 50))
