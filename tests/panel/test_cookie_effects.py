"""The effects of a response's cookies, which the summary names on every page."""

from itertools import product

import pytest

from labkit.panel.cookie_explanations import CookieEffect, cookie_effects, response_cookies
from labkit.panel.models import Exchange

NOW = 1_800_000_000.0
NAMES = ["cart_04", "a.b-c", "__Host-cart", "__x", "", "a b", "kä"]
VALUES = ["", "apple", '"apple\\054 2"', "a b", "a\tb", "a\x01b", "ä", "x" * 5000]
EXPIRES = ["", "; expires=Thu, 01 Jan 1970 00:00:00 GMT", "; expires=Sat, 01 Jan 2028 09:00:00 GMT"]
MAX_AGES = [
    "",
    "; Max-Age=0",
    "; Max-Age=60",
    "; Max-Age=-1",
    "; Max-Age=1x",
    "; Max-Age=" + "9" * 12,
]
ENDS = [
    "; Path=/",
    "; Path=/; SameSite=Lax",
    "; HttpOnly; Path=/; SameSite=Strict",
    "; Path=/; SameSite=None",
    "; Path=/; SameSite=Lax; Secure",
    "; Path=/cart/",
    "; Domain=example.org; Path=/",
    "",
]


ALL = {CookieEffect.SET, CookieEffect.DELETED, CookieEffect.REFUSED}


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1:8004", ALL),
        ("[::1]:8004", ALL),
        ("lab.example.org", ALL),
        ("lab..", {CookieEffect.REFUSED}),  # not a host name
    ],
)
def test_an_effect_is_that_of_the_parsed_cookie(host, expected):
    effects = set()
    for name, value, expires, age, end in product(NAMES, VALUES, EXPIRES, MAX_AGES, ENDS):
        line = f"{name}={value}{expires}{age}{end}".encode().decode("latin-1")
        exchange = Exchange(1, "token", NOW, 0.0, 0.0, path="/add/", host=host, scheme="http")
        exchange.set_cookies = [line]
        (cookie,) = response_cookies(exchange)
        assert cookie_effects(exchange) == {cookie.effect: [cookie.name]}, line
        effects.add(cookie.effect)
    assert effects == expected
