"""Tests that a page of stored data must pass, such as /store/ in lab 10."""

import lxml.html
import pytest
from django.http import HttpResponseBase

from labkit.testing.contracts import CartPages, RawRequests, table, text, words
from labkit.testing.malformed_requests import REQUESTS


def stored(response: HttpResponseBase) -> list[str]:
    """Return the stored values that the page shows, in order."""
    page = lxml.html.document_fromstring(text(response))
    found = [dd.text_content() for dd in page.xpath("//dd[@data-stored]")]
    assert bool(found) != bool(page.xpath("//*[@data-empty]"))  # values or a notice
    return found


class StorePages(RawRequests):
    """/store/ shows stored data and /engines/ compares engines. Neither changes anything."""

    page = b"/store/"
    act = b"/empty/"
    cart = CartPages()

    @pytest.mark.parametrize("path", ["/store/", "/engines/"])
    def test_looking_sets_no_cookie(self, visitor, path):
        assert visitor.get(path).status_code == 200
        assert list(visitor.jar) == []

    def test_what_is_stored_is_shown_to_its_visitor_alone(self, visitor, classmate):
        assert stored(visitor.get("/store/")) == []
        self.cart.put(visitor, "red apple", 3)
        self.cart.put(classmate, "pear")
        assert "{'red apple': 3}" in words(visitor.get("/store/"))
        assert "red apple" not in words(classmate.get("/store/"))

    @pytest.mark.parametrize("path", ["/store/", "/engines/"])
    def test_nothing_is_sent_there(self, visitor, path):
        fields = self.cart.with_token(visitor)
        assert visitor.post(path, fields).status_code == 405

    @pytest.mark.thorough
    def test_no_raw_request_breaks_the_store(self, visitor, subtests):
        token = self.cart.put(visitor, "bread", 2)["csrfmiddlewaretoken"].encode()
        for raw in [*self.raw_requests, *REQUESTS]:
            with subtests.test(request=raw.name):
                response = self.answer_to(raw, visitor, token)
                if raw.alone and response.status_code == 200:
                    assert "bread" not in words(response)
                assert table(visitor.get("/display/")) == {"bread": 2}
