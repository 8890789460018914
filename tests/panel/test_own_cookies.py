"""Test that the log shows which cookies a lab has set in a browser, with Path and Domain."""

import pytest
from django.http import HttpResponse

from labkit.base.cookie_names import lab_number
from labkit.panel import own_cookies
from labkit.panel.exchange_log import log
from labkit.panel.own_cookies import OwnCookie


@pytest.fixture(autouse=True)
def _empty_log():
    log.clear()
    yield
    log.clear()


def respond(*lines, host="127.0.0.1:8007", path="/", agent="mine", peer="127.0.0.1"):
    exchange = log.begin(method="GET", path=path, host=host, scheme="http", agent=agent, peer=peer)
    exchange.set_cookies = list(lines)
    log.add(exchange)


def test_the_path_and_domain_come_from_the_log():
    respond("a=1; Path=/x/", "b=2; Domain=07-limits.localhost; Secure", host="07-limits.localhost")
    respond("c=3", path="/add/")
    assert own_cookies.set_in_browser("mine") == {
        "07-limits.localhost": [
            OwnCookie("a", "/x/"),
            OwnCookie("b", "/", "07-limits.localhost", secure=True),
        ],
        "127.0.0.1": [OwnCookie("c", "/add")],  # the default path, RFC 6265 section 5.1.4
    }


def test_deleted_and_refused_cookies_are_left_out():
    respond("a=1; Path=/", "b=2; Domain=other.example", "c=3; Path=/")
    respond("a=; Max-Age=0; Path=/", "c=; Max-Age=0; Path=/x/")
    assert own_cookies.set_in_browser("mine") == {"127.0.0.1": [OwnCookie("c")]}


def test_other_browsers_and_machines_do_not_count():
    respond("a=1", agent="another")
    respond("a=1", peer="192.168.1.7")
    assert own_cookies.set_in_browser("mine") == {}


def test_cookies_with_the_same_name_are_all_expired():
    response = HttpResponse()
    cookies = [OwnCookie("a"), OwnCookie("a", "/x/"), OwnCookie("a"), OwnCookie("not a name")]
    assert own_cookies.expire(response, cookies) == 2
    lines = [morsel.OutputString() for morsel in response.cookies.values()]
    assert [line.partition("Path=")[2].partition(";")[0] for line in lines] == ["/", "/x/"]
    assert all("Max-Age=0" in line for line in lines)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("cart_03_04", "03"),
        ("sessionid_04", "04"),
        ("limit_000", None),
        ("csrftoken_console", None),
    ],
)
def test_a_cookies_name_contains_its_labs_number(name, number):
    assert lab_number(name) == number
