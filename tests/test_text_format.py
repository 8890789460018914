"""Counts and durations in English."""

import pytest

from labkit import text_format


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("1 row", text_format.quantity(1, "row")),
        ("0 rows", text_format.quantity(0, "row")),
        ("2 entries", text_format.quantity(2, "entry", "entries")),
        ("1 row, 2 entries", text_format.quantities(row=1, entry=2, file=0)),
        ("nothing", text_format.quantities(row=0)),
        ("", text_format.and_more(0)),
        ("", text_format.and_more(1)),
        (" and 2 more", text_format.and_more(3)),
        ("1 second", text_format.duration(1)),
        ("90 seconds", text_format.duration(90)),
        ("1 minute", text_format.duration(60)),
        ("2 minutes", text_format.duration(120)),
        ("2.5 hours", text_format.duration(9000)),
        ("14 days", text_format.duration(1_209_600)),
        ("", text_format.exact_duration(0)),
        ("1 day, 2 minutes", text_format.exact_duration(86_520)),
        ("2 weeks, 1 second", text_format.exact_duration(1_209_601)),
        ("90 of 120 seconds", text_format.remaining(90, 120)),
        ("3 of 14 days", text_format.remaining(3 * 86_400, 14 * 86_400)),
    ],
)
def test_counts_and_durations_read_as_english(words, found):
    assert found == words
