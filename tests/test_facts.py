"""Test that tests/support/facts.py detects changed facts, but allows rewording."""

import facts
import pytest

CLAIMS = """
[C01]
text = "A cookie lasts 10 000 years."
verdict = "wrong"
evidence = "Chromium keeps it for 400 days."
lab = "07"
"""
FILES = {
    "labs/claims.toml": CLAIMS,
    "labs/compare.toml": '[[conclusion]]\nsentence = "Keep it."\ncells = ["a/b"]\n',
    "labs/notes.toml": "[[pair]]\nsides = ['02', '06']\n[pair.notes.\"a.py\"]\n'def x' = 'Why.'\n",
    "docs/measured/a.json": '{"median": 4}',
}


def changed(file, old, new):
    assert old in FILES[file]
    return facts.compare(FILES, FILES | {file: FILES[file].replace(old, new)})


def test_rewording_changes_no_fact():
    assert changed("labs/claims.toml", "keeps it for", "deletes it after") == ([], [])
    assert changed("labs/claims.toml", "10 000", "10,000") == ([], [])
    assert changed("labs/notes.toml", "Why.", "Because.") == ([], [])


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("labs/claims.toml", "C01", "C02"),
        ("labs/claims.toml", "wrong", "partly"),
        ("labs/claims.toml", "400", "300"),
        ("labs/compare.toml", "a/b", "a/c"),
        ("labs/notes.toml", "'def x'", "y = 'Why.'\n'def x'"),
        ("docs/measured/a.json", "4", "5"),
    ],
)
def test_a_changed_fact_is_reported(file, old, new):
    assert changed(file, old, new)[0]


def test_a_gained_number_is_listed():
    assert changed("labs/claims.toml", "days", "days, 5 hours") == ([], ["claims/C01: 5"])
