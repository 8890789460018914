"""The contract of the greeting, for pages and fields as in lab 07."""

from typing import Any

import lxml.html
import pytest

from labkit.base import error_pages
from labkit.testing.contracts import HOSTILE_NAMES, REFUSED_NAMES, RawRequests, notices, text, words
from labkit.testing.malformed_requests import REQUESTS, Raw

# Cookie values that a browser may send, and that no greeting may accept as a name.
NO_NAMES = [
    b"", b"%20", b"%00", b"a%0d%0aX:%20y", b"%ff%fe", b"\xff\xfe", b"\xe9", b"%ed%a0%80", b"x" * 41,
    b"x" * 4000, b"%41" * 41, b"%E2%80%AE", b"%E3%85%A4", b'"\\012"', b"%" * 4000,
]  # fmt: skip


def greeted(response: Any) -> str | None:
    """Return the name in a page's greeting, or None if it has no name."""
    named = lxml.html.document_fromstring(text(response)).xpath("//h1/*[@data-name]")
    return named[0].text_content() if named else None


def links(response: Any) -> list[str]:
    """Return the targets of the links in the main part of a page."""
    return lxml.html.document_fromstring(text(response)).xpath("//main//a/@href")


class GreetingPages(RawRequests):
    """Tests of the pages that greet a visitor."""

    page = b"/result/"
    act = b"/greet/"
    raw_requests = tuple(
        Raw(f"the name {name[:20]!r}", 200, cookie=b"name_07=" + name, alone=True)
        for name in [*NO_NAMES, b"9" * 5000, b"\xff" * 5000]
    )

    def greet(self, visitor: Any, name: str, remember: str = "session") -> Any:
        """Fill in the form and send it."""
        return visitor.submit("/greet/", {"name": name, "remember": remember}, page="/")

    def name(self, visitor: Any) -> str | None:
        """Return the name in the visitor's greeting."""
        return greeted(visitor.get("/result/"))

    def test_a_new_visitor_is_greeted_without_a_name_and_asked_for_it(self, visitor):
        response = visitor.get("/result/")
        assert greeted(response) is None
        assert notices(response) == []
        assert links(response) == ["/"]
        assert list(visitor.jar) == []

    def test_who_said_a_name_is_greeted_by_it(self, visitor):
        response = self.greet(visitor, "Anu")
        assert response.redirect_chain == [("/result/", 302)]
        assert greeted(response) == "Anu"
        assert self.name(visitor) == "Anu"
        assert "Anu" in words(visitor.get("/"))

    def test_visitors_are_greeted_apart(self, visitor, classmate):
        self.greet(visitor, "Anu")
        assert self.name(classmate) is None
        self.greet(classmate, "Bela")
        assert self.name(visitor) == "Anu"

    @pytest.mark.pitfall("B16")
    def test_no_form_puts_its_token_into_the_url(self, visitor):
        self.greet(visitor, "Anu")
        for path in ("/", "/result/"):
            page = lxml.html.document_fromstring(text(visitor.get(path)))
            for form in page.xpath("//main//form"):
                assert ("csrfmiddlewaretoken" in form.fields, form.method) == (True, "POST")
        assert not any("csrf" in exchange.url for exchange in visitor.exchanges)

    @pytest.mark.pitfall("B13")
    def test_any_name_is_greeted_exactly(self, visitor, subtests):
        fields = self.with_token(visitor, remember="3min")
        for name in HOSTILE_NAMES:
            with subtests.test(name=name):
                response = visitor.post("/greet/", fields | {"name": name}, follow=True)
                assert greeted(response) == name
                assert "<script>alert" not in text(response)
                assert len(visitor.jar.get("name_07").value) <= 480
        assert sorted(cookie.name for cookie in visitor.jar) == ["csrftoken_07", "name_07"]

    def test_a_name_that_cannot_be_shown_is_refused(self, visitor, subtests):
        self.greet(visitor, "Anu")
        fields = self.with_token(visitor, remember="session")
        wrong = [{"name": name} for name in REFUSED_NAMES]
        wrong += [{}, {"name": "Bela", "remember": "ever"}, {"name": "Bela", "remember": ""}]
        for data in wrong:
            with subtests.test(data=data):
                response = visitor.post("/greet/", fields | data)
                assert response.status_code == 422
                assert lxml.html.document_fromstring(text(response)).find_class("errorlist")
                assert self.name(visitor) == "Anu"

    def test_what_was_never_a_name_is_not_greeted(self, visitor, subtests):
        for value in NO_NAMES:
            with subtests.test(value=value):
                response = visitor.send("GET", "/result/", headers={"Cookie": b"name_07=" + value})
                assert response.status_code == 200
                assert greeted(response) is None
                assert notices(response)

    def test_the_forgotten_are_greeted_without_a_name(self, visitor):
        self.greet(visitor, "Anu", "3min")
        visitor.submit("/forget/", page="/result/")
        assert self.name(visitor) is None
        assert visitor.jar.get("name_07") is None

    def test_only_a_form_of_its_own_changes_anything(self, visitor, subtests):
        self.greet(visitor, "Anu")
        for path in ("/greet/", "/forget/"):
            with subtests.test(path=path):
                assert visitor.post(path, {"name": "Eve"}).status_code == 403
                for method in ("get", "head", "options", "trace"):
                    assert getattr(visitor, method)(path).status_code == 405
        for path in ("/", "/result/"):
            with subtests.test(path=path):
                assert visitor.head(path).status_code == 200
                assert not any("name_07" in line for line in visitor.exchanges[-1].set_cookies)
        assert self.name(visitor) == "Anu"

    def test_with_cookies_blocked_the_form_is_refused(self, visitor):
        visitor.block_cookies()
        response = self.greet(visitor, "Anu")
        assert response.status_code == 403
        assert error_pages.COOKIES_BLOCKED in words(response)
        visitor.block_cookies(False)
        assert greeted(self.greet(visitor, "Anu")) == "Anu"

    @pytest.mark.thorough
    def test_malformed_requests_break_nothing(self, visitor, classmate, subtests):
        self.greet(classmate, "Bela")
        self.greet(visitor, "Anu")
        token = self.token(visitor).encode()
        for raw in [*self.raw_requests, *REQUESTS]:
            with subtests.test(request=raw.name):
                response = self.answer_to(raw, visitor, token)
                if raw.cookie is not None and response.status_code == 200:
                    assert greeted(response) == (None if raw.alone else "Anu")
                assert self.name(visitor) == "Anu"
        assert self.name(classmate) == "Bela"


class GreetingInChromium:
    """Tests of the pages that greet a visitor in a real browser."""

    def greet(self, page, server, name, remember, host="127.0.0.1"):
        page.goto(server.url("/", host))
        page.get_by_label("Your name").fill(name)
        page.get_by_label(remember).check()
        page.get_by_role("button", name="Greet me").click()
        page.wait_for_url("**/result/")

    def name(self, page, server, host="127.0.0.1"):
        page.goto(server.url("/result/", host))
        return self.greeted(page)

    def greeted(self, page):
        """Return the name in the greeting, or None if it has no name."""
        name = page.locator("h1 [data-name]")
        return name.text_content() if name.count() else None

    def test_a_person_is_greeted_again_and_is_forgotten(self, chromium, server):
        page = chromium.page
        self.greet(page, server, "अनु 🍎", "until I close the browser")
        assert self.greeted(page) == "अनु 🍎"
        page.locator("main a[href='/result/']").click()
        assert self.greeted(page) == "अनु 🍎"
        page.get_by_role("button", name="Forget me").click()
        page.wait_for_url(server.url("/"))
        assert self.name(page, server) is None
