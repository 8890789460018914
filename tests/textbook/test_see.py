"""Each textbook version shows its symptom, and a test of its lab detects it."""

import subprocess
import sys

import pytest
from textbook_runs import ROOT, marks, read_noticed, run, see_test, solutions, stage

from labkit.catalog import Catalog
from labkit.practice.exercise import MY_TESTS
from labkit.processes.manage_py import lab_environment
from labkit.textbook_versions import all_versions, find_version

pytestmark = pytest.mark.usefixtures("forked_runs")

VERSIONS = all_versions(Catalog(ROOT))
NOTICED = read_noticed()
MOST = 6  # run at most this many tests for each version; more would add no information


def cases(*, starts):
    """Parametrize the test with the versions, so that pytest-xdist can distribute them."""
    return [
        pytest.param(version, id=version.full_name, marks=pytest.mark.xdist_group(version.name))
        for version in VERSIONS
        if version.starts is starts
    ]


@pytest.mark.textbook
@pytest.mark.parametrize("version", cases(starts=True))
def test_a_version_shows_its_symptom_and_is_noticed(checkout, version):
    recorded = NOTICED[version.full_name][-MOST:]
    # The file lists the tests in the order in which they run. This test runs them in reverse order.
    see = see_test(version)
    mine = [MY_TESTS] if solutions(checkout, version) else []
    found = run(checkout, version, see, *reversed(recorded), *mine)
    assert found.stop is None, found.output
    outcomes = {test.id: test for test in found.tests}
    assert outcomes[see].outcome == "passed", outcomes[see].message
    passed = [test for test in recorded if outcomes[test].outcome != "failed"]
    assert passed == [], "these do not notice it; see tests/support/textbook_runs.py"
    by_mark = {id_ for test in recorded for id_ in marks(outcomes[test])}
    assert set(version.pitfalls) <= by_mark
    solving = [test.outcome for test in found.tests if test.id.startswith(MY_TESTS)]
    assert not mine or "failed" in solving, "the solution of an exercise does not catch it"


@pytest.mark.textbook
@pytest.mark.parametrize("version", cases(starts=False))
def test_a_version_that_does_not_start_says_why(checkout, version, tmp_path):
    folder = stage(checkout, version, tmp_path)
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=folder,
        env=lab_environment() | {"LAB_STATE_DIR": str(tmp_path / ".lab")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert version.says in done.stderr


@pytest.mark.textbook
def test_no_failure_depends_on_earlier_tests(checkout):
    version = find_version(checkout, "07:cached-for-everyone")
    greeting = "tests/test_greeting.py::TestGreeting::"
    first = f"{greeting}test_who_said_a_name_is_greeted_by_it"  # fills the cache
    control = f"{greeting}test_a_new_visitor_is_greeted_without_a_name_and_asked_for_it"
    found = run(checkout, version, first, control)
    assert {test.id: test.outcome for test in found.tests}[control] == "passed"
