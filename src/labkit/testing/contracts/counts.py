"""The contract of page counts that have the pages of labs 02 and 06."""

import re
from typing import Any

import lxml.html
import pytest
from django.conf import settings
from django.test.signals import template_rendered

from labkit.base import error_pages
from labkit.http.origin import Context
from labkit.testing.chromium import page_says
from labkit.testing.contracts.common import RawRequests
from labkit.testing.contracts.kept_in import KeptIn, held_by
from labkit.testing.contracts.pages import notices, number, surprises, text
from labkit.testing.malformed_requests import REQUESTS, Raw
from labkit.testing.visitor import Visitor

# Invalid cookie values, which no page count may read as a number.
NO_COUNTS = [
    "abc", "", "1.5", "1e3", "NaN", "5,6", "%00", "é", "-5", "+5", "٣", "９", "1_000", "1000000",
    "9" * 4300, "9" * 4301, "<script>alert(7)</script>", "x" * 4000, "🍎", "1 2", "0x10",
]  # fmt: skip

# Methods that do not count as visits, and their statuses. Class-based views respond to OPTIONS.
METHODS = {"head": {200}, "options": {200, 405}, "trace": {405}, "put": {403, 405}}


def in_advance(response: Any) -> bool:
    """Return whether the page says that the browser loaded it in advance."""
    page = lxml.html.document_fromstring(text(response))
    return bool(page.xpath("//*[@data-in-advance]"))


class PageCountPages(RawRequests):
    """Tests that every page count must pass, for the behaviour of its page."""

    page = b"/"
    act = b"/forget/"
    raw_requests = ()
    cookie: str  # the name of the lab's cookie; copies may use another name
    lifetime: int | None  # seconds since the last visit; None means until the browser closes
    says_what_was_unreadable: bool  # whether a page reports an invalid cookie

    def count(self, visitor: Any) -> int:
        """Visit the page, and return the count that it shows."""
        return number(visitor.get("/"))

    def leave_state(self, visitor: Any) -> None:
        """Visit the page, so that the lab stores a count (see KeptIn)."""
        self.count(visitor)

    def own_cookie(self, visitor: Any) -> Any:
        """Return the lab's cookie, even if its name is not `cookie`."""
        names = held_by(visitor)
        return visitor.jar.get(names[0] if len(names) == 1 else self.cookie)

    @pytest.mark.claim("C19")
    def test_each_visit_adds_one(self, visitor):
        assert [self.count(visitor) for _ in range(12)] == list(range(1, 13))

    @pytest.mark.claim("C03")
    def test_visitors_are_counted_separately(self, visitor, classmate):
        self.count(visitor)
        assert self.count(visitor) == 2
        assert self.count(classmate) == 1

    @pytest.mark.pitfall("B17")
    def test_only_get_counts(self, visitor, subtests):
        self.count(visitor)
        for method, status in METHODS.items():
            with subtests.test(method=method):
                assert getattr(visitor, method)("/").status_code in status
        assert self.count(visitor) == 2

    def test_a_prefetched_page_counts(self, visitor):
        assert not in_advance(visitor.get("/"))
        assert in_advance(visitor.get("/", headers={"sec-purpose": "prefetch"}))
        assert self.count(visitor) == 3

    def test_the_page_about_it_shows_the_count_unchanged(self, visitor):
        self.count(visitor)
        for _ in range(2):
            response = visitor.get("/prefetch/")
            assert number(response) == 1
            assert surprises(response) == ["prefetch-counts"]
            assert not visitor.exchanges[-1].set_cookies

    def test_forgetting_starts_again(self, visitor):
        self.count(visitor)
        assert number(visitor.submit("/forget/", page="/")) == 1

    def test_a_form_without_a_token_forgets_nothing(self, visitor):
        self.count(visitor)
        assert visitor.post("/forget/").status_code == 403
        assert visitor.get("/forget/").status_code == 405
        assert self.count(visitor) == 2

    @pytest.mark.claim("C01")
    def test_with_cookies_blocked_each_visit_is_the_first(self, visitor):
        visitor.block_cookies()
        assert [self.count(visitor) for _ in range(3)] == [1, 1, 1]
        assert visitor.submit("/forget/", page="/").status_code == 403

    def test_it_outlives_the_browser_if_it_has_a_lifetime(self, visitor):
        self.count(visitor)
        visitor.close_browser()
        assert self.count(visitor) == (2 if self.lifetime else 1)

    @pytest.mark.pitfall("B41")
    def test_its_cookie_has_the_protecting_attributes(self, visitor):
        self.count(visitor)
        cookie = self.own_cookie(visitor)
        assert cookie.http_only
        assert cookie.same_site in {"Lax", "Strict"}
        assert cookie.name not in visitor.jar.header(visitor.origin, Context(http_api=False))

    @pytest.mark.pitfall("B12")
    def test_an_unreadable_cookie_starts_again(self, visitor, subtests):
        for nonsense in NO_COUNTS:
            with subtests.test(nonsense=nonsense):
                self.count(visitor)
                visitor.edit_cookie(self.own_cookie(visitor), nonsense)
                response = visitor.get("/")
                assert number(response) == 1
                assert bool(notices(response)) == self.says_what_was_unreadable
                assert b"<script>alert" not in response.content
                assert self.count(visitor) == 2

    @pytest.mark.thorough
    def test_malformed_requests_break_nothing(self, visitor, classmate, subtests):
        token = self.token(visitor).encode()
        self.count(classmate)
        for raw in REQUESTS:
            with subtests.test(request=raw.name):
                before = self.count(visitor)
                response = self.answer_to(raw, visitor, token)
                counted = response.status_code == 200 and raw.method == "GET"
                assert self.count(visitor) == before + 1 + counted
        for value in NO_COUNTS:
            with subtests.test(count=value):
                raw = Raw(value, 200, cookie=f"{self.cookie}={value}".encode(), alone=True)
                assert number(self.answer_to(raw, visitor, token)) == 1
        assert self.count(classmate) == 2


class PageCountContract(PageCountPages, KeptIn):
    """Tests that every page count must pass, for its page, its storage and its lifetime."""

    def test_the_count_expires_on_time(self, visitor, clock):
        self.count(visitor)
        clock.forward(seconds=(self.lifetime or 10_000_000) - 1)
        assert self.count(visitor) == 2  # the lifetime starts again with this visit
        clock.forward(seconds=(self.lifetime or 10_000_000) - 1)
        assert self.count(visitor) == 3
        clock.forward(seconds=self.lifetime or 10_000_000)
        assert self.count(visitor) == (1 if self.lifetime else 4)

    @pytest.mark.claim("C07")
    def test_the_browser_returns_the_cookie_it_was_given(self, visitor, classmate):
        self.count(visitor)
        self.count(classmate)
        assert visitor.exchanges[0].cookie_bytes == b""
        given = self.own_cookie(visitor)
        assert [given.pair] == [
            line.partition(";")[0]
            for line in visitor.exchanges[0].set_cookies
            if line.startswith(given.name)
        ]
        self.count(visitor)
        assert given.pair in visitor.exchanges[1].cookie_bytes.decode().split("; ")
        if given.name == settings.SESSION_COOKIE_NAME:
            assert re.fullmatch("[0-9a-z]{32}", given.value)
            assert self.own_cookie(classmate).value != given.value
            assert self.own_cookie(visitor).value == given.value
        else:  # the cookie's value is the count, signed or not
            assert "1" in given.value
            assert self.own_cookie(visitor).value != given.value

    @pytest.mark.in_process
    @pytest.mark.pitfall("B40")
    def test_one_of_two_simultaneous_visits_may_be_lost(self, visitor):
        self.count(visitor)
        other_tab = Visitor()
        other_tab.jar = visitor.jar
        seen = []

        def visit_too(**_: Any) -> None:  # makes a complete visit in the other tab
            template_rendered.disconnect(visit_too)
            seen.append(self.count(other_tab))

        template_rendered.connect(visit_too)
        try:
            seen.append(self.count(visitor))
        finally:
            template_rendered.disconnect(visit_too)
        assert sorted(seen) in ([2, 2], [2, 3])
        assert self.count(visitor) == max(seen) + 1

    @pytest.mark.thorough
    def test_random_actions_agree_with_a_model(self, pytestconfig):
        from labkit.testing import state_machine
        from labkit.testing.contracts import state_machines

        examples = pytestconfig.getoption("lab_examples")
        state_machine.run(state_machines.PageCountMachine, examples, lifetime=self.lifetime)


class PageCountInChromium:
    """Tests that every page count must pass in a real browser."""

    lifetime: int | None  # as in PageCountContract

    def count(self, page: Any, server: Any) -> int:
        page.goto(server.url("/"))
        return int(page.locator(".number").text_content())

    @pytest.mark.claim("C19")
    def test_a_person_reloads_and_is_forgotten(self, chromium, server):
        page = chromium.page
        assert self.count(page, server) == 1
        page.reload()
        page.reload()
        assert page.locator(".number").text_content() == "3"
        page.get_by_role("button", name="Forget me").click()
        assert page_says(page, ".number") == "1"

    def test_it_loads_the_page_in_advance(self, chromium, server):
        page = chromium.page
        assert self.count(page, server) == 1
        for _ in range(10):
            page.goto(server.url("/prefetch/"), wait_until="networkidle")
            if page.locator(".number").text_content() != "1":
                break
        assert int(page.locator(".number").text_content()) > 1

    def test_closing_the_browser(self, chromium, server):
        assert self.count(chromium.page, server) == 1
        page = chromium.close_and_reopen()
        assert self.count(page, server) == (2 if self.lifetime else 1)

    def test_with_cookies_blocked_each_visit_is_the_first(self, chromium, server):
        page = chromium.block_cookies()
        assert [self.count(page, server) for _ in range(2)] == [1, 1]
        page.get_by_role("button", name="Forget me").click()
        assert error_pages.COOKIES_BLOCKED in page_says(page)
