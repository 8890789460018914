"""Test parsing and writing Cookie and Set-Cookie header fields."""

import pytest

from labkit.http.cookie_header import (
    cookie_name,
    parse_cookies,
)
from labkit.http.set_cookie import apply_set_cookies, is_deletion

NOW = 3600.0


def test_pairs_are_parsed_as_they_were_sent():
    header = 'a=1; b="x=y"; lonely; =empty; ;c='
    assert list(parse_cookies(header)) == [
        ("a", "1"),
        ("b", '"x=y"'),
        ("", "lonely"),
        ("", "empty"),
        ("c", ""),
    ]


@pytest.mark.parametrize(
    ("line", "deleted"),
    [
        ("a=; Max-Age=0; Path=/", True),
        ("a=x; max-age=-100", True),
        ("a=x; Max-Age=60", False),
        ("a=max-age=0", False),
        ("a=; Path=/max-age=0", False),
        ("a=1;max-age=0100", False),
        ("a=; expires=Thu, 01 Jan 1970 00:00:00 GMT", True),
        ("a=; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60", False),
        ("a=; expires=Fri, 02 Jan 1970 00:00:00 GMT", False),
    ],
)
def test_an_expiry_that_is_over_deletes(line, deleted):
    assert is_deletion(line, NOW) is deleted
    assert cookie_name(line) == "a"


def test_set_cookies_are_applied_in_order():
    before = {"kept": "1", "changed": "1", "deleted": "1"}
    lines = ["changed=2; Path=/", "deleted=; Max-Age=0", "new=3; HttpOnly", "new=4"]
    assert apply_set_cookies(before, lines, NOW) == {"kept": "1", "changed": "2", "new": "4"}
    assert before == {"kept": "1", "changed": "1", "deleted": "1"}
