"""Run the steps that show the symptom of a textbook version, in this process."""

import re
from random import Random
from typing import Any
from urllib.parse import urlsplit

import lxml.html

from labkit.http.origin import Context
from labkit.testing import response_checks
from labkit.testing.base_visitor import Exchange
from labkit.testing.clock import Clock
from labkit.testing.contracts.pages import text
from labkit.testing.visitor import Visitor
from labkit.textbook_versions import BROWSERS, MANY, NO_RESPONSE, RANDOM, Step, Version

FAILED = "{version}, step {number} ({step}): {reason}"


class Reader(Visitor):
    """A visitor that accepts invalid responses, because textbook versions may send them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.raise_request_exception = False
        self._expected = dict.fromkeys(response_checks.ALL, False)


class StepFailed(AssertionError):
    """A step of a version cannot be carried out, or does not have the expected result."""


def follow_steps(version: Version, clock: Clock | None) -> dict[str, Reader]:
    """Run all steps of a version, and return the browsers as {name: browser}.

    After a server error, the next step must be one that expects the error. If a step fails, raises
    StepFailed, which names the version and the step.
    """
    player = _Player(version, clock)
    for number, step in enumerate(version.see, start=1):
        try:
            following = version.see[number] if number < len(version.see) else None
            player.do(step, following)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            message = FAILED.format(
                version=version.full_name, number=number, step=step, reason=reason
            )
            raise StepFailed(message) from error
    return player.browsers


class _Player:
    """The browsers, and the current page of each."""

    def __init__(self, version: Version, clock: Clock | None) -> None:
        self.clock = clock
        self.browsers = {name: Reader(host=version.host) for name in BROWSERS}
        self.pages: dict[str, Any] = {}
        self.opened: dict[str, list[Exchange]] = {}  # by the last action

    def do(self, step: Step, following: Step | None) -> None:
        """Run a step. Raises AssertionError if it fails, and exceptions that the step causes."""
        browser = self.browsers[step.by]
        if not step.is_action:
            self._look(step, browser)
            return
        before = list(map(id, browser.exchanges))
        page = getattr(self, f"_{step.verb}")(step, browser)
        if page is None:
            return
        self.pages[step.by] = page
        self.opened[step.by] = [e for e in browser.exchanges if id(e) not in before]
        if self._status(step.by) >= "5" and (following is None or following.verb != "expect"):
            raise AssertionError(f"it is {self._status(step.by)}: {exception_text(page)}")

    def _status(self, browser: str) -> str:
        """Return the status of the page, or NO_RESPONSE if no response could be sent."""
        faults = [
            promise
            for exchange in self.opened[browser]
            for promise, _ in response_checks.faults(exchange.response, exchange.set_cookies)
        ]
        unsent = response_checks.HEADER in faults
        return NO_RESPONSE if unsent else str(self.pages[browser].status_code)

    # The following methods are actions. They return the browser's new page, if there is one.

    def _open(self, step: Step, browser: Reader) -> Any:
        return browser.get(step.value, follow=True)

    def _submit(self, step: Step, browser: Reader) -> Any:
        for number in range(1, step.times + 1):
            fields = numbered(step.fields, number)
            page = browser.submit(step.value, fields, page=step.options.get("page"))
        return page

    def _post(self, step: Step, browser: Reader) -> Any:
        for number in range(1, step.times + 1):
            token = [c.value for c in browser.jar if c.name.startswith("csrftoken")]
            fields = numbered(step.fields, number)
            fields |= {"csrfmiddlewaretoken": token[-1]} if token else {}
            page = browser.post(step.value, fields, follow=True)
        return page

    def _head(self, step: Step, browser: Reader) -> None:
        browser.head(step.value)

    def _reload(self, step: Step, browser: Reader) -> Any:
        last = browser.exchanges[-1]
        request = last.response.wsgi_request  # type: ignore[union-attr]
        url = urlsplit(last.url)
        if last.method != "POST":
            return browser.get(f"{url.path}?{url.query}", follow=True)
        return browser.post(url.path, request.POST.dict(), follow=True)

    def _wait(self, step: Step, browser: Reader) -> None:
        assert self.clock is not None
        self.clock.forward(seconds=step.value)

    def _close_browser(self, step: Step, browser: Reader) -> None:
        browser.close_browser()

    def _block_cookies(self, step: Step, browser: Reader) -> None:
        browser.block_cookies(step.value)

    def _edit_cookie(self, step: Step, browser: Reader) -> None:
        browser.edit_cookie(step.value, step.options["value"])

    def _set_cookie(self, step: Step, browser: Reader) -> None:
        browser.jar.store(f"{step.value}; Path=/", browser.origin)

    def _copy_cookie(self, step: Step, browser: Reader) -> None:
        cookie = browser.jar.get(step.value)
        assert cookie is not None, f"there is no cookie {step.value}"
        other = self.browsers[BROWSERS[1]]
        other.jar.store(f"{cookie.pair}; Path=/", other.origin)

    # Observations

    def _look(self, step: Step, browser: Reader) -> None:
        if step.verb in {"cookie", "no_cookie"}:
            check_cookie(step, {cookie.name: cookie.value for cookie in browser.jar})
            return
        if step.verb == "script_cookie":
            assert step.value in browser.jar.header(browser.origin, Context(http_api=False))
            return
        page = self.pages[step.by]
        if step.verb == "expect":
            assert self._status(step.by) == step.value, f"it is {self._status(step.by)}"
            because = step.options.get("because", "")
            said = exception_text(page)
            assert because in said, f"the exception is {said!r}"
        elif step.verb == "url":
            urls = [exchange.url for exchange in self.opened[step.by]]
            assert any(step.value in url for url in urls), f"the URLs are {', '.join(urls)}"
        else:
            check_page(step, text(page))


def numbered(fields: dict[str, str], number: int) -> dict[str, str]:
    """Return the fields of a form with {n}, {5000 x} and {40 random} replaced."""

    def letters(match: re.Match[str]) -> str:
        # A seed, which makes the text of each submission different.
        random = Random(f"{number} {match.string}")
        return "".join(map(chr, random.choices(range(0x4E00, 0x9FA5), k=int(match[1]))))

    filled = {name: value.replace("{n}", str(number)) for name, value in fields.items()}
    filled = {name: RANDOM.sub(letters, value) for name, value in filled.items()}
    return {name: MANY.sub(lambda m: m[2] * int(m[1]), value) for name, value in filled.items()}


def exception_text(page: Any) -> str:
    """Return the exception that caused a server error, such as "KeyError: 'name'", or ""."""
    if not getattr(page, "exc_info", None):
        return ""
    kind, value, _ = page.exc_info
    return f"{kind.__name__}: {value}"


def page_text(html: str) -> str:
    """Return the visible text of a page's <main>, with whitespace collapsed."""
    document = lxml.html.document_fromstring(html or "<p></p>")
    main = document.find(".//main")
    return " ".join((document if main is None else main).text_content().split())


def check_page(step: Step, html: str) -> None:
    """Raise AssertionError if a page does not show what the step expects."""
    if step.verb == "source":
        assert step.value in html, "the page's HTML does not contain it"
    elif step.verb == "table":
        rows = lxml.html.document_fromstring(html).xpath("//tbody/tr")
        cells = {row.xpath("string(th)"): row.xpath("string(td)") for row in rows}
        wanted = {str(name): str(cell) for name, cell in step.value.items()}
        assert cells == wanted, f"the table has: {cells}"
    else:
        shown = page_text(html)
        assert (step.value in shown) == (step.verb == "shows"), f"the page shows: {shown[:500]}"


def check_cookie(step: Step, cookies: dict[str, str]) -> None:
    """Raise AssertionError if the browser does not have the cookies that the step expects."""
    assert (step.value in cookies) == (step.verb == "cookie"), f"cookies: {', '.join(cookies)}"
    if value := step.options.get("value"):
        assert cookies[step.value] == value, f"its value is {cookies[step.value]}"


def check_cookies_apart(version: Version, browsers: dict[str, Reader]) -> None:
    """Raise AssertionError if `apart` is True and a cookie's name lacks the lab's number.

    On a shared host, such a cookie could replace a cookie of another lab.
    """
    number = f"_{version.lab.number}"
    lines = [line for b in browsers.values() for e in b.exchanges for line in e.set_cookies]
    names = {line.partition("=")[0] for line in lines}
    foreign = sorted(name for name in names if number not in name)
    assert not (version.apart and foreign), f"{version.full_name} sets {', '.join(foreign)}"
