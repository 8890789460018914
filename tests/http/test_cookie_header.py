"""Cookie and Set-Cookie header fields of a browser that keeps every cookie."""

import pytest

from labkit.http.cookie_header import (
    apply_set_cookies,
    cookie_name,
    is_deletion,
    parse_cookies,
)


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
    ],
)
def test_a_max_age_below_one_deletes(line, deleted):
    assert is_deletion(line) is deleted
    assert cookie_name(line) == "a"


def test_set_cookies_are_applied_in_order():
    before = {"kept": "1", "changed": "1", "deleted": "1"}
    lines = ["changed=2; Path=/", "deleted=; Max-Age=0", "new=3; HttpOnly", "new=4"]
    assert apply_set_cookies(before, lines) == {"kept": "1", "changed": "2", "new": "4"}
    assert before == {"kept": "1", "changed": "1", "deleted": "1"}
