"""Test Django's cookies, in any lab."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from labkit.http.cookie_header import set_cookie_lines
from labkit.testing import response_checks


def set_cookie(*arguments, **named):
    """Return the Set-Cookie line that set_cookie() creates from these arguments."""
    response = HttpResponse()
    response.set_cookie(*arguments, **named)
    (line,) = set_cookie_lines(response)
    return line


def read(header):
    return RequestFactory().get("/", headers={"cookie": header}).COOKIES


@pytest.mark.claim("C20")
def test_the_third_argument_of_set_cookie_is_max_age(clock):
    assert set_cookie("p", "v", 180) == set_cookie("p", "v", max_age=180)
    assert set_cookie("p", "v", 180) == (
        "p=v; expires=Mon, 07 Jan 2030 09:03:00 GMT; Max-Age=180; Path=/"
    )
    assert set_cookie("p", "v") == "p=v; Path=/"


@pytest.mark.claim("C24")
@pytest.mark.parametrize(
    ("value", "sent", "back"),
    [(5, "5", "5"), (True, "True", "True"), ([1, 2], r'"[1\054 2]"', "[1, 2]")],
)
def test_whatever_goes_into_a_cookie_comes_back_as_text(value, sent, back):
    line = set_cookie("a", value)
    assert line == f"a={sent}; Path=/"
    assert read(line.partition(";")[0]) == {"a": back}


@pytest.mark.claim("C23")
def test_django_sends_a_cookie_that_no_browser_keeps(visitor):
    value = "x" * 10_000
    with visitor.expecting(response_checks.SET_COOKIE_SIZE, response_checks.COOKIE_REFUSED):
        response = visitor.get("/cookie/", {"name": "a", "value": value})
    assert response.status_code == 200
    assert response.cookies["a"].value == value
    assert list(visitor.jar) == []
    visitor.get("/cookie/", {"name": "a", "value": "x" * 4095})
    assert len(visitor.jar.get("a").value) == 4095


@pytest.mark.claim("C27")
def test_every_cookie_goes_along_but_where_its_path_says_otherwise(visitor):
    for line in ("all=1; Path=/", "one=2; Path=/a/"):
        visitor.get("/set-cookie/", {"line": line})
    assert visitor.get("/echo/").content == b"all=1"
    # The request for this page sends the cookie, although the page does not need it.
    assert visitor.get("/").request
    assert visitor.exchanges[-1].cookie_bytes == b"all=1"
    assert visitor.get("/a/echo/").content == b"one=2; all=1"
