"""The panel recognises a cookie's owner by the lab number or copy name in the cookie's name."""

import pytest

from labkit.panel.cookie_explanations import cookie_owner


@pytest.mark.parametrize(
    ("lab", "cookie", "owner"),
    [
        ("03", "cart_03_apple", "lab"),
        ("03", "cart_03_04", "lab"),
        ("03", "cart_04_03", "other-lab"),
        ("03", "cart_03-x_apple", "unknown"),
        ("mine", "cart_mine_03", "lab"),
        ("mine", "cart_03_mine", "other-lab"),
        ("mine", "cart_mine-2_apple", "unknown"),
        ("mine-2", "cart_mine-2_apple", "lab"),
        ("mine-2", "cart_mine_apple", "unknown"),
    ],
)
def test_the_first_number_or_name_counts(settings, lab, cookie, owner):
    settings.LAB = lab
    assert cookie_owner(cookie).kind == owner
