"""Tests that any lab on session expiry must pass, if its pages and fields work like lab 09's."""

import time
from typing import Any, NamedTuple

import lxml.html
import pytest
from django.http import HttpResponseBase

from lab import forms, notices
from labkit.base import error_pages
from labkit.testing.base_visitor import Exchange
from labkit.testing.chromium import page_says
from labkit.testing.contracts import RawRequests, text, words
from labkit.testing.malformed_requests import REQUESTS, TOKEN, Raw
from labkit.text_format import duration

COOKIE = "sessionid_09"
CHOICES = dict(forms.POLICIES)
PAGES = ["/", "/read/", "/rows/"]

# {choice: the largest Max-Age of its cookie, in seconds}. None means no Max-Age.
POLICIES = {"120": 120, "300": 300, "0": None, "none": 1209600, "datetime": 180, "timedelta": 180}

NO_POLICIES = [
    "", "-1", "1", "121", "1e2", "1_20", "120 ", "٣٠٠", "None", "null", "2099-01-01T00:00:00+00:00",
    "_session_expiry", "a\x00b", "\ufffd", "<script>alert(7)</script>", "x" * 5000, "9" * 5000,
]  # fmt: skip


def policy(name: str, status: int, body: bytes) -> Raw:
    body = b"csrfmiddlewaretoken=" + TOKEN + body
    return Raw(name, status, "POST", b"/policy/", body=body)


POLICY_REQUESTS = [
    policy("no policy", 422, b""),
    policy("a policy twice: the last one counts", 422, b"&policy=120&policy=x"),
    policy("a policy that is not UTF-8", 422, b"&policy=%ff%fe"),
    policy("a policy of 200 000 characters", 422, b"&policy=" + b"1" * 200_000),
    policy("a session entry as a field", 422, b"&_session_expiry=10&policy=_session_expiry"),
    Raw("a policy by GET", 405, path=b"/policy/?policy=120"),
    Raw("clearing by GET", 405, path=b"/clear-expired/"),
    Raw("rows that did not go", 200, path=b"/rows/?gone=<script>alert(7)</script>"),
    Raw("more rows than there are", 200, path=b"/rows/?gone=" + b"9" * 5000),
]


def what_holds(response: HttpResponseBase) -> dict[str, str]:
    """Return the figures and details on a page, {name: value}; empty without a session."""
    rows = lxml.html.document_fromstring(text(response)).xpath("//*[@data-fact]")
    return {row.get("data-fact"): row[-1].text_content() for row in rows}


class ListedRow(NamedTuple):
    """A row on the page of rows."""

    key: str  # its start
    expiry: str
    left: int  # in seconds; negative once the row has expired
    own: bool


def listing(response: HttpResponseBase) -> list[ListedRow]:
    """Return the rows on the page "Rows", in order."""
    rows = lxml.html.document_fromstring(text(response)).xpath("//tr[@data-left]")
    return [
        ListedRow(
            row.findtext("th").partition("…")[0],
            row.findtext("td"),
            int(row.get("data-left")),
            "data-own" in row.attrib,
        )
        for row in rows
    ]


def deleted(response: HttpResponseBase) -> str | None:
    """Return the number of rows that the page says were deleted, or None if it says nothing."""
    found = lxml.html.document_fromstring(text(response)).xpath("//*[@data-deleted]")
    return found[0].get("data-deleted") if found else None


def session_cookies(exchange: Exchange) -> list[str]:
    """Return the exchange's headers that set or delete the session cookie."""
    return [line for line in exchange.set_cookies if line.startswith(COOKIE)]


class ExpiryPages(RawRequests):
    """Tests of the pages about session expiry."""

    page = b"/"
    act = b"/touch/"

    # Steps of a visitor

    def choose(self, visitor: Any, value: str) -> Any:
        """Choose an expiry, and return the next page."""
        return visitor.submit("/policy/", {"policy": value}, page="/")

    def write(self, visitor: Any) -> Any:
        return visitor.submit("/touch/", page="/")

    # The tests

    @pytest.mark.parametrize("path", PAGES)
    def test_looking_begins_no_session(self, visitor, path):
        assert visitor.get(path).status_code == 200
        assert visitor.jar.get(COOKIE) is None

    @pytest.mark.parametrize("path", PAGES)
    def test_looking_writes_nothing(self, visitor, path):
        self.choose(visitor, "120")
        visitor.get(path)
        assert session_cookies(visitor.exchanges[-1]) == []

    def test_each_choice_gives_its_cookie(self, visitor, subtests):
        for value, most in POLICIES.items():
            with subtests.test(policy=value):
                response = self.choose(visitor, value)
                assert response.redirect_chain == [("/", 302)]
                told = what_holds(response)["cookie"]
                (line,) = session_cookies(visitor.exchanges[-2])
                assert "HttpOnly" in line
                assert "SameSite=Lax" in line
                if most is None:
                    assert "Max-Age" not in told
                    assert "Max-Age" not in line
                else:
                    age = int(line.partition("Max-Age=")[2].partition(";")[0])
                    assert most - 62 <= age <= most  # the form's field has no seconds
                    assert f"Max-Age={age}" in told

    def test_what_is_no_choice_is_refused_and_changes_nothing(self, visitor, subtests):
        before = what_holds(self.choose(visitor, "300"))
        token = self.token(visitor)
        for value in NO_POLICIES:
            with subtests.test(policy=value):
                fields = {"csrfmiddlewaretoken": token, "policy": value}
                response = visitor.post("/policy/", fields)
                assert response.status_code == 422
                assert lxml.html.document_fromstring(text(response)).find_class("errorlist")
                assert "<script>alert" not in text(response)
                assert session_cookies(visitor.exchanges[-1]) == []
        after = what_holds(visitor.get("/"))
        assert after["chosen"] == before["chosen"]
        assert after["written"] == before["written"]

    @pytest.mark.parametrize("path", ["/policy/", "/touch/", "/clear-expired/"])
    def test_nothing_changes_without_a_token_or_by_another_method(self, visitor, path):
        before = what_holds(self.choose(visitor, "300"))["written"]
        assert visitor.post(path, {"policy": "120"}).status_code == 403
        for method in ("get", "head", "put", "delete", "patch", "options", "trace"):
            response = getattr(visitor, method)(path)
            # The CSRF check runs before the view, so it refuses the request first.
            assert response.status_code in {403, 405}
            assert session_cookies(visitor.exchanges[-1]) == []
        assert what_holds(visitor.get("/"))["written"] == before

    def test_the_rows_of_others_are_shown_but_not_their_keys(self, visitor, classmate):
        self.choose(visitor, "120")
        self.choose(classmate, "300")
        key = visitor.jar.get(COOKIE).value
        page = classmate.get("/rows/")
        assert key[:6] in words(page)
        assert key[:7] not in text(page)
        (own,) = [row.key for row in listing(page) if row.own]
        assert own == classmate.jar.get(COOKIE).value[:6]

    def test_a_copied_key_outlives_the_browser(self, visitor, classmate):
        self.choose(visitor, "0")
        key = visitor.jar.get(COOKIE).value
        visitor.close_browser()
        assert what_holds(visitor.get("/")) == {}
        classmate.jar.store(f"{COOKIE}={key}; Path=/", classmate.origin)
        assert what_holds(classmate.get("/"))["chosen"] == CHOICES["0"]

    def test_with_cookies_blocked_the_form_is_refused(self, visitor):
        visitor.block_cookies()
        response = self.choose(visitor, "120")
        assert response.status_code == 403
        assert error_pages.COOKIES_BLOCKED in words(response)

    @pytest.mark.thorough
    def test_malformed_requests_break_nothing(self, visitor, classmate, subtests):
        before = what_holds(self.choose(visitor, "none"))["written"]
        token = self.token(visitor).encode()
        self.choose(classmate, "300")
        for raw in [*self.raw_requests, *POLICY_REQUESTS, *REQUESTS]:
            with subtests.test(request=raw.name):
                self.answer_to(raw, visitor, token)
                assert raw.alone or session_cookies(visitor.exchanges[-1]) == []
                assert what_holds(visitor.get("/"))["written"] == before
        assert what_holds(classmate.get("/"))["chosen"] == CHOICES["300"]


class ExpiryInChromium:
    """Tests of the pages about session expiry in a real browser."""

    def choose(self, page: Any, server: Any, value: str) -> None:
        page.goto(server.url("/"))
        page.locator("[name=policy]").select_option(value)
        page.locator("form[action='/policy/'] button").click()

    def chosen(self, page: Any) -> str:
        """Return the choice that the page shows; empty without a session."""
        page.wait_for_load_state()
        row = page.locator("tr[data-fact=chosen] td")
        return row.text_content() if row.count() else ""

    def test_a_person_chooses_writes_reads_and_clears(self, chromium, server):
        page = chromium.page
        page.goto(server.url("/"))
        assert page_says(page, ".notice") == notices.NO_KEY
        self.choose(page, server, "300")
        assert self.chosen(page) == CHOICES["300"]
        assert page.locator("[name=policy]").input_value() == "300"
        began = time.monotonic()
        page.locator("form[action='/touch/'] button").click()
        page.locator("main a[href='/read/']").click()
        left = page_says(page, "[data-fact=left] dd")
        passed = int(time.monotonic() - began) + 2
        assert left in {duration(300 - seconds) for seconds in range(passed)}
        page.locator("nav a[href='/rows/']").click()
        page.locator("tr[data-own]").wait_for()
        page.locator("form[action='/clear-expired/'] button").click()
        page.locator("[data-deleted='0']").wait_for()
        page.locator("tr[data-own]").wait_for()

    def test_no_page_scrolls_sideways_on_a_narrow_phone(self, chromium, server):
        page = chromium.page
        page.set_viewport_size({"width": 320, "height": 640})
        self.choose(page, server, "none")
        for path in ("/", "/read/", "/rows/", "/rows/?gone=3", "/touch/", "/nowhere/"):
            page.goto(server.url(path))
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
