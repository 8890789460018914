"""The visitor's jar and a real Chromium agree on all cases of cookie_cases.py."""

import time

import pytest
from cookie_cases import CASES
from cookie_runs import runs_in_the_jar
from cookie_server import BROWSER_ARGUMENTS, CookieServer, Tab
from cookie_steps import Age, Reopen, Request, Script, Set, Stored, Wait

from labkit.testing.chromium import Chromium

every_case = pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=[pytest.mark.claim(case.shows)] * bool(case.shows))
        for case in CASES
    ],
)


def test_there_are_enough_cases_with_different_names():
    assert len({case.name for case in CASES}) == len(CASES) >= 300


# The jar


@every_case
def test_the_jar(case, clock):
    runs_in_the_jar(case, clock)


# Chromium


@pytest.fixture(scope="module")
def server():
    server = CookieServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def shared_browser(playwright_driver, tmp_path_factory, server):
    browser = Chromium(
        playwright_driver,
        tmp_path_factory.mktemp("profile"),
        arguments=BROWSER_ARGUMENTS,
        third_party_cookies=True,
    )
    yield browser, Tab(browser.page, server)
    browser.close()


@pytest.fixture
def browser_for(case, request, shared_browser, server):
    """The shared browser with its cookies deleted, or a new browser if the case reopens it."""
    if any(isinstance(step, Reopen) for step in case.steps):
        browser = request.getfixturevalue("chromium")
        return browser, Tab(browser.page, server)
    shared_browser[0].page.context.clear_cookies()
    return shared_browser


@pytest.mark.browser
@every_case
def test_chromium(case, browser_for, server):
    browser, tab = browser_for
    for step in case.steps:
        server.forget()
        match step:
            case Set(url, lines, by, page):
                server.answer(url, lines)
                tab.request(url, by, page)
                server.cookie_header(url)
            case Script(url, line):
                tab.open(url)
                tab.page.evaluate("line => { document.cookie = line }", line)
            case Request(url, header, "script"):
                tab.open(url)
                assert tab.page.evaluate("document.cookie") == header
            case Request(url, header, by, page):
                tab.request(url, by, page)
                assert server.cookie_header(url) == header
            case Stored(session, persistent):
                found = tab.page.context.cookies()
                assert {c["name"] for c in found if c["expires"] == -1} == set(session.split())
                assert {c["name"] for c in found if c["expires"] != -1} == set(persistent.split())
            case Age(seconds):
                age_cookies(tab.page.context, seconds)
            case Wait(seconds):
                tab.page.wait_for_timeout(seconds * 1000)
            case Reopen(blocked):
                tab = Tab(browser.block_cookies(blocked), server)


def age_cookies(context, seconds):
    """Make all cookies older, because Chromium's clock cannot be moved."""
    cookies = context.cookies()
    context.clear_cookies()
    for cookie in cookies:
        if cookie["expires"] != -1:  # -1: a session cookie
            cookie["expires"] -= seconds
    now = time.time()
    context.add_cookies([c for c in cookies if c["expires"] == -1 or c["expires"] > now])
