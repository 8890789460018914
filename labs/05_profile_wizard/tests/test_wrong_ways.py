"""Additional pages: three pages with questions, written as in textbooks."""

import pytest
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path

from labkit.testing import response_checks
from labkit.testing.contracts import words


def by_address(request):
    return HttpResponse(f"How old is {request.GET['name']}?")


def by_cookie(request):
    return HttpResponse(f"How old is {request.COOKIES['name']}?")


def by_session(request):
    return HttpResponse(f"How old is {request.session['name']}?")


def keep(request):
    """Store every query parameter without checking it."""
    for field, text in request.GET.items():
        request.session[field] = text
    return redirect("/all/")


def everything(request):
    page = "".join(f"<p>{field}: {text}" for field, text in request.session.items())
    return HttpResponse(f"<main>{page}</main>")


urlpatterns = [
    path("by-address/", by_address),
    path("by-cookie/", by_cookie),
    path("by-session/", by_session),
    path("keep/", keep),
    path("all/", everything),
]


@pytest.fixture(autouse=True)
def textbook(settings):
    """Serve this module's additional pages instead of the lab's."""
    settings.ROOT_URLCONF = __name__


@pytest.mark.pitfall("B14")
def test_a_page_that_counts_on_a_parameter_crashes_at_its_bare_address(visitor):
    assert visitor.get("/by-address/", {"name": "Anu"}).content == b"How old is Anu?"
    with visitor.expecting(response_checks.SERVER_ERROR):
        assert visitor.get("/by-address/").status_code == 500


@pytest.mark.pitfall("B15")
def test_a_page_that_counts_on_a_cookie_crashes_when_it_has_expired(visitor, clock):
    visitor.jar.store("name=Anu; Max-Age=60; Path=/", visitor.origin)
    assert visitor.get("/by-cookie/").content == b"How old is Anu?"
    clock.forward(seconds=60)
    with visitor.expecting(response_checks.SERVER_ERROR):
        assert visitor.get("/by-cookie/").status_code == 500


@pytest.mark.pitfall("B15")
def test_a_page_that_counts_on_an_entry_crashes_when_cookies_are_blocked(visitor):
    visitor.get("/keep/", {"name": "Anu"})
    assert visitor.get("/by-session/").content == b"How old is Anu?"
    visitor.block_cookies()
    visitor.get("/keep/", {"name": "Anu"})
    with visitor.expecting(response_checks.SERVER_ERROR):
        assert visitor.get("/by-session/").status_code == 500


@pytest.mark.pitfall("B42")
def test_a_page_that_lists_the_session_tells_all_and_any_text_is_an_age(visitor):
    visitor.get("/keep/", {"name": "Anu", "age": "Abc"})
    row = Session.objects.get()
    store = Session.get_session_store_class()(row.session_key)
    store.set_test_cookie()  # as another page might
    store.save()
    assert words(visitor.get("/all/")) == "name: Anuage: Abctestcookie: worked"
