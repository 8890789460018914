"""Test that any text can be encoded as part of a cookie's name, and decoded again."""

import re

import pytest

from labkit.base.cookie_names import cookie_name, names_from_cookies
from labkit.testing.contracts import HOSTILE_NAMES
from labkit.testing.response_checks import NAME


@pytest.mark.parametrize("text", [*HOSTILE_NAMES, "a\r\nb", "\x00"])
def test_every_text_makes_a_legal_name_and_comes_back(text):
    name = cookie_name("cart_03_", text)
    assert re.fullmatch(NAME, name)
    assert names_from_cookies("cart_03_", {name: "1"}) == {text: "1"}


@pytest.mark.parametrize(
    "name",
    [
        "cart_03_",
        "cart_03_%20a",
        "cart_03_a%20",
        "cart_03_a b",
        "cart_03_%61",
        "cart_03_%ff",
        "cart_03_%e0",
        "cart_03_é",
        "cart_03_" + "a" * 501,
        "cart_04_a",
        "csrftoken_03",
        "",
    ],
)
def test_other_cookies_are_left_out(name):
    assert names_from_cookies("cart_03_", {name: "1"}) == {}
