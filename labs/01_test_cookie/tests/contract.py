"""Tests that any lab with the test cookie must pass, if its pages work like lab 01's."""

from typing import Any

import lxml.html
import pytest

from labkit.testing.contracts import RawRequests, notices, surprises, text
from labkit.testing.malformed_requests import ACT, REQUESTS, Raw, cookie, unknown_session_ids

# The results that the check can have, as values of an attribute of the page's heading.
WORK = "works"
DO_NOT_WORK = "no-cookie"
NOT_SET = "not-set"  # the browser sent a cookie, so cookies do work


def answer(response: Any) -> str | None:
    """Return the result that the page shows, or None if there is no result."""
    return lxml.html.document_fromstring(text(response)).find(".//h1").get("data-answer")


def answer_at_once(response: Any) -> str:
    """Return the answer of test_cookie_worked() in the request that set the test cookie."""
    return lxml.html.document_fromstring(text(response)).xpath("string(//*[@data-at-once])")


def visit(response: Any) -> int:
    """Return the number of this visit, which the session counts."""
    return int(lxml.html.document_fromstring(text(response)).xpath("string(//*[@data-visit])"))


def main_of(response: Any) -> Any:
    """Return the main element of the page."""
    return lxml.html.document_fromstring(text(response)).find(".//main")


class CookieCheckPages(RawRequests):
    """Tests of the pages about the test cookie."""

    page = b"/check/"
    act = b"/check/"  # pages that refuse POST
    raw_requests = (
        *unknown_session_ids("sessionid_01"),
        cookie("the session of another lab", b"sessionid=x; sessionid_04=" + b"a" * 32, alone=True),
        cookie("a cookie called testcookie", b"testcookie=worked", alone=True),
        Raw("a field called testcookie", 200, path=b"/check/?testcookie=worked"),
        Raw("a form with testcookie", 403, "POST", b"/", body=b"testcookie=worked"),
    )

    def look(self, visitor: Any) -> str | None:
        """Open the page that checks for the test cookie, and return its result."""
        return answer(visitor.get("/check/"))

    @pytest.mark.claim("C16")
    def test_a_browser_that_keeps_cookies_is_told_that_they_work(self, visitor):
        assert main_of(visitor.get("/")).xpath(".//a/@href") == ["/check/"]
        assert self.look(visitor) == WORK

    @pytest.mark.claim("C16")
    @pytest.mark.pitfall("B19")
    def test_with_cookies_blocked_it_says_so_and_how_to_turn_them_on(self, visitor):
        visitor.block_cookies()
        for _ in range(3):
            visitor.get("/")
            response = visitor.get("/check/")
            # The response is a page, not an endless chain of redirects.
            assert response.status_code == 200
            assert answer(response) == DO_NOT_WORK
            assert main_of(response).xpath(".//*[@data-advice]/li")  # how to allow cookies
            assert main_of(response).xpath(".//a/@href") == ["/"]
        visitor.block_cookies(False)
        visitor.get("/")
        assert self.look(visitor) == WORK

    @pytest.mark.claim("C17")
    def test_looking_takes_it_away(self, visitor):
        visitor.get("/")
        assert self.look(visitor) == WORK
        for _ in range(2):
            response = visitor.get("/check/")
            assert answer(response) == NOT_SET
            assert "sessionid_01" in notices(response)[0]
        visitor.get("/")
        assert self.look(visitor) == WORK

    def test_looking_before_it_was_set_finds_none_and_sets_no_cookie(self, visitor):
        assert self.look(visitor) == DO_NOT_WORK
        assert list(visitor.jar) == []

    @pytest.mark.claim("C15")
    def test_asked_in_the_same_request_it_is_there_whatever_the_browser_does(self, visitor):
        visitor.block_cookies()
        assert answer_at_once(visitor.get("/")) == "True"
        assert self.look(visitor) == DO_NOT_WORK

    def test_without_its_cookie_every_visit_is_the_first(self, visitor):
        assert [visit(visitor.get("/visits/")) for _ in range(3)] == [1, 2, 3]
        visitor.block_cookies()
        assert [visit(visitor.get("/visits/")) for _ in range(3)] == [1, 1, 1]

    def test_no_url_on_the_page_has_the_session_key(self, visitor):
        response = visitor.get("/visits/")
        assert surprises(response) == ["no-key-in-urls"]
        page = lxml.html.document_fromstring(text(response))
        key = visitor.jar.get("sessionid_01").value
        assert not [url for url in page.xpath("//@href | //@action | //@src") if key in url]

    def test_visitors_are_tested_apart(self, visitor, classmate):
        visitor.get("/")
        assert self.look(classmate) == DO_NOT_WORK
        assert self.look(visitor) == WORK

    def test_looking_ahead_sets_nothing_and_takes_nothing(self, visitor):
        assert visitor.head("/").status_code == 200
        assert list(visitor.jar) == []
        visitor.get("/")
        assert visitor.head("/check/").status_code == 200
        assert self.look(visitor) == WORK

    def test_no_other_method_is_accepted(self, visitor, subtests):
        for path in ("/", "/check/"):
            for method, status in {"options": 405, "trace": 405, "post": 403, "put": 403}.items():
                with subtests.test(path=path, method=method):
                    assert getattr(visitor, method)(path).status_code == status
        assert list(visitor.jar) == []

    @pytest.mark.thorough
    def test_malformed_requests_break_nothing(self, visitor, classmate, subtests):
        classmate.get("/")
        # No page here sets a CSRF cookie. With one, Django reads a request's body before refusing
        # it.
        visitor.jar.store(f"csrftoken_01={'b' * 32}; Path=/", visitor.origin)
        requests = [raw for raw in REQUESTS if raw.path != ACT or raw.method == "POST"]
        visitor.get("/")
        for raw in [*self.raw_requests, *requests]:
            with subtests.test(request=raw.name):
                response = self.answer_to(raw, visitor, b"b" * 32)
                if raw.alone:
                    assert answer(response) in {DO_NOT_WORK, NOT_SET}
                elif response.status_code == 200 and response.content:
                    # The malformed requests deleted nothing. The page that sets the cookie shows no
                    # answer.
                    assert answer(response) in {WORK, None}
                    visitor.get("/")
        assert self.look(visitor) == WORK
        assert self.look(classmate) == WORK


class CookieCheckInChromium:
    """Tests of the pages about the test cookie in a real browser."""

    def look(self, page, server):
        page.goto(server.url("/"))
        page.locator("main a[href='/check/']").click()
        page.wait_for_url("**/check/")
        return self.answer(page)

    def answer(self, page):
        return page.locator("h1").get_attribute("data-answer")

    @pytest.mark.claim("C14", "C16")
    def test_a_browser_as_it_comes_keeps_cookies(self, chromium, server):
        page = chromium.page
        assert self.look(page, server) == WORK
        assert list(chromium.cookies()) == ["sessionid_01"]
        page.reload()
        assert self.answer(page) == NOT_SET
        page.locator("main a[href='/']").click()
        page.wait_for_url(server.url("/"))
        assert self.answer(page) is None

    @pytest.mark.claim("C16")
    @pytest.mark.pitfall("B19")
    def test_a_browser_that_blocks_cookies_is_told_until_it_allows_them(self, chromium, server):
        page = chromium.block_cookies()
        assert self.look(page, server) == DO_NOT_WORK
        page.reload()
        assert self.answer(page) == DO_NOT_WORK
        page.locator("main a[href='/']").click()
        page.wait_for_url(server.url("/"))
        assert self.look(page, server) == DO_NOT_WORK
        page = chromium.block_cookies(False)
        assert self.look(page, server) == WORK

    def test_a_request_without_cookies_is_a_new_visitors(self, chromium, server):
        page = chromium.page
        for _ in range(2):
            page.goto(server.url("/visits/"))
        for tries in (1, 2):
            page.locator("main button").click()
            shown = page.locator("[data-without]")
            shown.get_by_text(", ".join(["visit 1"] * tries), exact=True).wait_for()
        page.reload()
        assert page.locator("[data-visit]").text_content() == "3"

    def test_no_page_scrolls_sideways_on_a_narrow_phone(self, chromium, server):
        page = chromium.page
        page.set_viewport_size({"width": 320, "height": 640})
        for path in ("/visits/", "/check/", "/", "/check/", "/check/"):  # each of the results
            page.goto(server.url(path))
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
