"""labkit.testing.pytest_runner: the outcome of each test, and of files that pytest cannot
collect."""

import pytest

from labkit.testing.pytest_runner import run_tests

TESTS = """
import pytest


def test_passes(record_property):
    record_property("answer", "yes")


def test_fails():
    assert 1 == 2


def test_skips():
    pytest.skip("not here")


def test_has_two_failures(subtests):
    with subtests.test():
        assert 3 == 4
    with subtests.test():
        assert 5 == 6


@pytest.fixture
def broken():
    raise ValueError("no fixture")


def test_has_a_broken_fixture(broken): ...
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "test_broken.py").write_text("import nothing_of_this_name\n")
    finished = []
    run = run_tests(tmp_path, str(tmp_path), "-v", on_finished=finished.append)
    assert run.finished
    assert {test.id for test in run.tests} == set(finished)
    return run


def test_each_test_has_its_first_outcome(run):
    outcomes = {test.id.partition("::")[2]: (test.outcome, test.message) for test in run.tests}
    assert outcomes["test_passes"] == ("passed", "")
    assert outcomes["test_fails"][0] == "failed"
    assert "1 == 2" in outcomes["test_fails"][1]
    assert outcomes["test_skips"] == ("skipped", "Skipped: not here")
    assert outcomes["test_has_two_failures"][0] == "failed"
    assert "3 == 4" in outcomes["test_has_two_failures"][1]
    assert outcomes["test_has_a_broken_fixture"] == ("failed", "ValueError: no fixture")
    (passed,) = (test for test in run.tests if test.outcome == "passed")
    assert passed.properties == {"answer": "yes"}
    (line,) = (test.places for test in run.tests if test.id.endswith("test_fails"))
    assert line == [("test_it.py", TESTS.splitlines().index("    assert 1 == 2") + 1)]
    (file,) = run.uncollected
    assert file.id == "test_broken.py"
    assert "nothing_of_this_name" in file.message


def test_a_wrong_option_leaves_the_run_unfinished(tmp_path):
    run = run_tests(tmp_path, "--no-such-option")
    assert not run.finished
    assert run.tests == []
    assert "--no-such-option" in run.output
