"""Test `lab check` for exercises in which students write tests."""

import pytest

from labkit.practice import score
from labkit.practice.copies import copy_tree
from labkit.practice.exercise import find_exercise
from labkit.practice.settings_names import DID_YOU_MEAN
from labkit.testing.pytest_runner import STOPS, TIME


@pytest.fixture
def refusal(checkout, tmp_path):
    """Return a function that scores a test file on lab 02, where a test fails, and returns why."""

    def refuse(source, seconds=20):
        (tmp_path / "tests").mkdir()
        (tmp_path / "tests" / "test_mine.py").write_text(source, encoding="utf-8")
        found = score.score_tests(
            checkout, find_exercise(checkout, "test-the-count"), tmp_path, seconds
        )
        assert not found.passed
        return found.refusal

    return refuse


pytestmark = pytest.mark.usefixtures("forked_runs")

TWO_FAIL = """
def test_one():
    assert 1 == 2


def test_two(vistor):
    pass
"""


def test_each_failing_test_is_explained(refusal):
    text = refusal(TWO_FAIL)
    assert score.FAILS.format(test="test_one") in text
    assert "tests/test_mine.py, line 3: assert 1 == 2\n    It is 1, but should be 2." in text
    assert score.FAILS.format(test="test_two") in text
    assert score.MISSING_FIXTURE.format(name="vistor") in text
    assert DID_YOU_MEAN.format(name="visitor") in text


def test_an_endless_test_is_named(refusal):
    text = refusal("def test_it():\n    while True:\n        pass\n", seconds=2)
    assert score.FAILS.format(test="test_it") in text
    assert STOPS[TIME].format(text="2") in text


def test_a_syntax_error_has_its_line(refusal, tmp_path):
    text = refusal("def test_it(visitor)\n    pass\n")
    assert f"{tmp_path.name}/tests/test_mine.py, line 1: SyntaxError" in text
    assert text.endswith("\n    def test_it(visitor)")


@pytest.mark.parametrize(
    "line",
    [
        'assert "max" in open("lab/storage.py").read()',
        'from pathlib import Path; Path("lab/views.py").read_text()',
        "import inspect",
    ],
)
def test_tests_that_read_code_are_refused(refusal, line):
    assert score.READS.partition("{name}")[2] in refusal(f"def test_it():\n    {line}\n")


def test_changes_of_the_lab_are_said_not_to_count(checkout, tmp_path):
    exercise = find_exercise(checkout, "test-the-count")
    copy_tree(exercise.lab.folder, tmp_path)
    assert score.find_changes(exercise, tmp_path) == ""
    (tmp_path / "lab" / "views.py").write_text("changed = True\n", encoding="utf-8")
    notice = score.find_changes(exercise, tmp_path)
    assert notice == score.LAB_CHANGED.format(number="02")
    assert score.Score(exercise, "refused", notice=notice).lines() == [notice, "", "refused"]
