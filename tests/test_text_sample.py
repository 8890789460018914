"""Test drawing random pieces of text for readers to judge."""

import random

import pytest
import text_sample


@pytest.fixture(scope="module")
def pieces():
    return text_sample.find_pieces(text_sample.ROOT)


def test_the_same_seed_draws_the_same_pieces(pieces):
    first, again, other = (
        text_sample.draw(pieces, text_sample.OF_EACH_KIND, random.Random(seed))
        for seed in (1, 1, 2)
    )
    assert first == again != other
    assert len({piece["text"] for piece in first}) == len(first) == 100


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Django saves a session only if it was modified.", True),
        ("Too few words", False),
        ("SELECT session_key FROM django_session WHERE expire_date < %s", False),
        ("https://docs.djangoproject.com/en/5.2/topics/http/sessions/", False),
    ],
)
def test_code_is_told_from_prose(text, answer):
    assert text_sample.is_prose(text) is answer


def test_comments_that_follow_are_one_piece():
    source = "# One sentence that\n# goes on.\n\nx = 1  # beside it\n# below\ny = 2  # another\n"
    assert list(text_sample.comments(source)) == [
        "One sentence that goes on.",
        "beside it",
        "below",
        "another",
    ]


@pytest.mark.parametrize(
    ("comment", "text"),
    [("noqa: S108 only for root", "only for root"), ("type: ignore[misc]", "")],
)
def test_directives_of_tools_are_left_out(comment, text):
    assert list(text_sample.comments(f"x = 1  # {comment}\n")) == [text]


def test_values_in_strings_become_an_ellipsis():
    source = 'def f():\n    """Not this."""\n    return f"Lab {number} has expired."\n'
    assert list(text_sample.literals(source)) == ["Lab … has expired."]
