"""Tests that any lab with a login must pass, if its pages work like lab 11's."""

from typing import Any

import lxml.html
import pytest
from django.http import HttpResponseBase

from labkit.testing.contracts import RawRequests, notices, table, text, words
from labkit.testing.contracts.pages import says_why
from labkit.testing.malformed_requests import CART_REQUESTS, REQUESTS
from tests.malformed_logins import LOGIN_REQUESTS


def page_of(response: HttpResponseBase) -> Any:
    """Return the parsed page."""
    return lxml.html.document_fromstring(text(response))


def facts(response: HttpResponseBase) -> dict[str, str | None]:
    """Return the facts on a page, {name: value}, with None for a missing value."""
    found = page_of(response).xpath("//dd[@data-fact]")
    return {fact.get("data-fact"): fact.findtext("*[@data-value]") for fact in found}


def form_errors(response: HttpResponseBase) -> list[str]:
    """Return the form's errors, without those of its fields."""
    lists = page_of(response).find_class("nonfield")
    return [item.text_content() for found in lists for item in found]


class LoginPages(RawRequests):
    """Test the login's pages with every session engine."""

    name, password = "ada", "lovelace"
    page = b"/"
    act = b"/logout/"
    form = "/login/"
    raw_requests = ()
    session_cookie: str

    # Steps of a visitor

    def add(self, visitor: Any, name: str, quantity: Any = 1) -> Any:
        return visitor.submit("/add/", {"name": name, "quantity": quantity}, page="/")

    def log_in(self, visitor: Any, name: str = "", password: str = "") -> Any:
        who = {"username": name or self.name, "password": password or self.password}
        return visitor.submit("/login/", who)

    def log_out(self, visitor: Any) -> Any:
        return visitor.submit("/logout/", page="/")

    def logged_in(self, response: Any) -> bool:
        """Return True if the start page shows the visitor as logged in."""
        who = facts(response)["user"]
        assert who in {self.name, None}
        return who == self.name

    def key(self, visitor: Any) -> str | None:
        """Return the session key in the browser's cookie."""
        cookie = visitor.jar.get(self.session_cookie)
        return cookie and cookie.value

    def sent_on_to(self, visitor: Any, address: str) -> str:
        """Return the URL to which a login redirects if `next` is this URL."""
        who = {"username": self.name, "password": self.password, "next": address}
        response = visitor.post("/login/", self.with_token(visitor, **who))
        assert response.status_code == 302
        return response["Location"]

    # The tests

    def test_a_new_visitor_is_nobody_and_has_no_session(self, visitor):
        response = visitor.get("/")
        assert not self.logged_in(response)
        assert facts(response)["key"] is None
        assert table(response) == {}
        assert self.key(visitor) is None

    def test_the_cart_before_the_login_is_the_cart_after_it(self, visitor):
        response = self.add(visitor, "red apple", 3)
        assert not self.logged_in(response)
        response = self.log_in(visitor)
        assert self.logged_in(response)
        assert table(response) == {"red apple": 3}

    def test_the_page_shows_the_key_that_the_browser_holds(self, visitor):
        added = facts(self.add(visitor, "apple"))
        assert added["key"] == self.key(visitor)
        logged_in = facts(self.log_in(visitor))
        assert logged_in["key"] == self.key(visitor)
        assert facts(visitor.get("/login/")) == {"key": self.key(visitor)}

    def test_a_login_changes_the_key_and_the_old_one_opens_nothing(self, visitor, classmate):
        self.add(visitor, "apple")
        old = visitor.jar.get(self.session_cookie)
        self.log_in(visitor)
        assert self.key(visitor) != old.value
        classmate.jar.store(f"{old.pair}; Path=/", classmate.origin)
        response = classmate.get("/")
        assert not self.logged_in(response)
        assert notices(response) != []
        assert self.key(classmate) is None

    def test_a_logout_ends_the_session_on_both_sides(self, visitor, classmate):
        self.add(visitor, "apple", 3)
        self.log_in(visitor)
        copied = visitor.jar.get(self.session_cookie)
        response = self.log_out(visitor)
        assert response.redirect_chain == [("/", 302)]
        assert not self.logged_in(response)
        assert table(response) == {}
        assert self.key(visitor) is None
        classmate.jar.store(f"{copied.pair}; Path=/", classmate.origin)
        assert not self.logged_in(classmate.get("/"))

    def test_only_a_post_with_its_token_logs_out(self, visitor):
        self.log_in(visitor)
        for method in ("get", "head"):
            response = getattr(visitor, method)("/logout/")
            assert (response.status_code, response["Allow"]) == (405, "POST, OPTIONS")
        assert says_why(visitor.get("/logout/"))
        assert visitor.post("/logout/").status_code == 403
        assert self.logged_in(visitor.get("/"))

    def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(self, visitor):
        answers = []
        for name, password in [(self.name, "wrong"), ("bob", self.password), ("bob", "wrong")]:
            response = self.log_in(visitor, name, password)
            assert response.status_code == 200  # Django's LoginView does the same
            form = page_of(response).forms[0]
            assert (form.fields["username"], form.fields["password"]) == (name, None)
            assert len(form_errors(response)) == 1
            answers.append(words(response))
        assert len(set(answers)) == 1
        assert not self.logged_in(visitor.get("/"))

    def test_a_login_leads_nowhere_but_into_this_lab(self, visitor):
        assert self.sent_on_to(visitor, "/login/") == "/login/"
        assert self.sent_on_to(visitor, "http://evil.example/") == "/"

    def test_no_item_is_taken_for_anything_else(self, visitor):
        self.log_in(visitor)
        key = self.key(visitor)
        names = ["sessionid", self.session_cookie, "csrftoken", "_auth_user_id", "_auth_user_hash"]
        for name in names:
            response = self.add(visitor, name)
            assert self.logged_in(response)
        assert table(response) == dict.fromkeys(names, 1)
        assert self.key(visitor) == key

    @pytest.mark.thorough
    def test_malformed_requests_break_nothing(self, visitor, classmate, subtests):
        self.add(visitor, "bread", 2)
        self.log_in(visitor)
        self.add(classmate, "milk")
        token = self.token(visitor).encode()
        adds = [raw for raw in CART_REQUESTS if raw.path == b"/add/"]
        for raw in [*self.raw_requests, *LOGIN_REQUESTS, *adds, *REQUESTS]:
            with subtests.test(request=raw.name):
                response = self.answer_to(raw, visitor, token)
                if raw.alone:
                    assert not self.logged_in(response)
                now = visitor.get("/")
                assert self.logged_in(now)
                assert table(now) == {"bread": 2}
        response = classmate.get("/")
        assert not self.logged_in(response)
        assert table(response) == {"milk": 1}
