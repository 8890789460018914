"""Every exercise's starter fails for the expected reason, and every solution passes."""

import shutil

import pytest
from textbook_runs import NOTICED, ROOT, read_noticed

from labkit.catalog import MANIFEST, Catalog
from labkit.practice.exercise import MY_TESTS, SOLUTIONS, read_exercises
from labkit.practice.score import run_on
from labkit.practice.start import write_starter
from labkit.testing.pytest_runner import SECONDS, run_tests

pytestmark = pytest.mark.usefixtures("forked_runs")

EXERCISES = read_exercises(Catalog(ROOT))
NO_SESSIONS = "Session doesn't declare an explicit app_label"
NOT_WRITTEN = "NotImplementedError"
# The test that fails on a starter, and part of its message, if the test is not in noticed.json.
REASONS = {
    "count-on-the-server": (
        "tests/test_pagecount.py::TestPageCount::test_it_outlives_the_browser_if_it_has_a_lifetime",
        "assert 1 == 2",
    ),
    "greeting-from-scratch": ("tests/test_greeting.py", NOT_WRITTEN),
    "cookies-to-session": ("tests/test_cart.py", NO_SESSIONS),
    "cart-from-scratch": ("tests/test_cart.py", NOT_WRITTEN),
    "five-second-cart": (
        "tests/test_cart.py::TestCart::test_the_cart_expires_on_time",
        "assert {'apple': 1} == {}",
    ),
    "answers-in-the-page": (
        "tests/test_carriers.py::test_closing_the_browser_loses_what_only_the_page_carried[hidden]",
        "assert True ==",
    ),
}


def names_own_tests(exercise):
    """Return the tests that an exercise names, but noticed.json does not list for its version."""
    version = exercise.version
    return set(exercise.tests) - set(read_noticed()[version.full_name] if version else ())


def cases(chosen):
    """Parametrize the test with the chosen exercises, so that pytest-xdist can distribute them."""
    return [
        pytest.param(each, id=each.name, marks=pytest.mark.xdist_group(each.name))
        for each in EXERCISES
        if chosen(each)
    ]


def test_every_starter_has_a_failure_that_counts():
    noticed = read_noticed()
    for exercise in EXERCISES:
        if exercise.kind != "test" and exercise.name not in REASONS:
            # The tests of a contract are in classes.
            failing = noticed[exercise.version.full_name]
            counting = {test for test in failing if "::Test" in test} | set(exercise.tests)
            assert counting & set(failing), f"{exercise.name}, {NOTICED}"


def test_each_test_exercise_has_a_solution():
    wanted = {f"{each.name}.py" for each in EXERCISES if each.kind == "test"}
    assert {path.name for path in (ROOT / SOLUTIONS).glob("*.py")} == wanted


@pytest.mark.textbook
@pytest.mark.parametrize("exercise", cases(lambda each: each.name in REASONS))
def test_a_starter_fails_for_its_reason(checkout, exercise, tmp_path):
    folder = tmp_path / "labs" / exercise.target.folder.name
    write_starter(exercise, folder)
    shutil.rmtree(folder / "tests")
    shutil.copytree(exercise.target.folder / "tests", folder / "tests")
    shutil.copyfile(checkout.root / MANIFEST, tmp_path / MANIFEST)
    test, reason = REASONS[exercise.name]
    found = run_on_folder(checkout, folder, folder / test, "-x")
    failed = [each for each in [*found.uncollected, *found.tests] if each.outcome == "failed"]
    assert reason in failed[0].message


@pytest.mark.textbook
@pytest.mark.parametrize("exercise", cases(lambda each: each.kind == "test"))
def test_a_solution_passes_on_the_lab(checkout, exercise, tmp_path):
    (tmp_path / "tests").mkdir()
    solution = checkout.root / SOLUTIONS / f"{exercise.name}.py"
    shutil.copyfile(solution, tmp_path / MY_TESTS)
    found = run_on(checkout, exercise, tmp_path / "tests", None, SECONDS)
    assert found.stop is None, found.output
    assert {test.outcome for test in found.tests} == {"passed"}


@pytest.mark.textbook
@pytest.mark.parametrize("exercise", cases(names_own_tests))
def test_the_lab_passes_the_tests_that_count(checkout, exercise):
    found = run_on_folder(
        checkout,
        exercise.target.folder,
        *(exercise.target.folder / test for test in exercise.tests),
    )
    assert found.stop is None, found.output
    assert {test.id for test in found.tests} == set(exercise.tests)
    assert {test.outcome for test in found.tests} == {"passed"}


def run_on_folder(checkout, folder, *arguments):
    return run_tests(folder, *map(str, arguments), "-q", checkout=checkout.root, seconds=60)
