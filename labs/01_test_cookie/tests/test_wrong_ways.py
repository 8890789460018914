"""Additional pages, which use the test cookie in the ways that textbooks do."""

import pytest
from django.http import HttpResponse
from django.urls import path

from labkit.testing import response_checks
from tests.contract import DO_NOT_WORK, CookieCheckPages, answer


def plant(request):
    request.session.set_test_cookie()
    return HttpResponse("planted")


def look(request):
    if request.session.test_cookie_worked():
        return HttpResponse("Cookies work")


def put_flat(request):
    request.session[request.GET["name"]] = request.GET["quantity"]
    return HttpResponse("put")


def put_in_one_entry(request):
    request.session["cart"] = {request.GET["name"]: request.GET["quantity"]}
    return HttpResponse("put")


urlpatterns = [
    path("plant", plant),
    path("look", look),
    path("put-flat", put_flat),
    path("put-in-one-entry", put_in_one_entry),
]


@pytest.fixture
def textbook(settings):
    """Serve this module's additional pages instead of the lab's."""
    settings.ROOT_URLCONF = __name__


@pytest.mark.pitfall("B19")
def test_a_view_without_an_answer_fails_where_it_is_needed(textbook, visitor):
    visitor.get("/plant")
    assert visitor.get("/look").content == b"Cookies work"
    visitor.block_cookies()
    visitor.get("/plant")
    with visitor.expecting(response_checks.SERVER_ERROR):
        assert visitor.get("/look").status_code == 500
    with pytest.raises(ValueError, match="returned None instead"):
        visitor.get("/look")


ITEM = {"name": "testcookie", "quantity": "worked"}


@pytest.mark.pitfall("B37")
def test_an_item_that_is_a_session_key_fakes_the_test(textbook, visitor):
    visitor.get("/put-flat", ITEM)  # although no view called set_test_cookie()
    assert visitor.get("/look").content == b"Cookies work"


@pytest.mark.pitfall("B37")
def test_an_item_inside_of_one_entry_fakes_nothing(textbook, visitor):
    visitor.get("/put-in-one-entry", ITEM)
    with visitor.expecting(response_checks.SERVER_ERROR):
        assert visitor.get("/look").status_code == 500


@pytest.mark.pitfall("B37")
def test_nothing_that_a_visitor_sends_fakes_the_test(visitor):
    assert visitor.post("/", ITEM).status_code == 403
    assert answer(visitor.get("/check/", {"testcookie": "worked"})) == DO_NOT_WORK
    visitor.jar.store("testcookie=worked; Path=/", visitor.origin)
    visitor.jar.store("sessionid_04=testcookie; Path=/", visitor.origin)  # another lab's
    assert CookieCheckPages().look(visitor) == DO_NOT_WORK
