"""Test the pytest plugin in separate runs of pytest."""

import os
import re
from pathlib import Path

import pytest
from forked_pytest import run_forked

from labkit.services.requirements import NOT_FOUND
from labkit.testing import plugin

SUPPORT = Path(__file__).parents[1] / "support"


@pytest.fixture
def run(checkout):
    """Run pytest in the checkout; return (exit status, output)."""

    def run(*arguments, environ=None):
        clean = {k: v for k, v in os.environ.items() if k not in {"CI", "DJANGO_SETTINGS_MODULE"}}
        options = ("-q", "-p", "no:cacheprovider")
        return run_forked(*options, *arguments, cwd=checkout.root, env=clean | (environ or {}))

    return run


@pytest.mark.parametrize(
    "paths", [["labs"], ["labs/03_cookie_cart", "labs/04_session_cart/tests/test_cart.py"]]
)
def test_several_labs_in_one_run_are_refused_in_one_sentence(run, paths):
    status, output = run(*paths)
    assert status == pytest.ExitCode.USAGE_ERROR
    assert plugin.SEVERAL_LABS in output


def test_the_documented_arguments_for_pytest_find_a_test(run, checkout):
    page = (checkout.root / "docs" / "testing.md").read_text()
    arguments = re.search(r"nox -s test-04 -- (.*?)\s+arguments after", page)[1].split()
    status, output = run("labs/04_session_cart", "--collect-only", *arguments)
    assert status == 0, output


def test_a_settings_module_of_another_project_does_not_matter(run):
    environ = {"DJANGO_SETTINGS_MODULE": "mysite.settings"}
    status, output = run("labs/03_cookie_cart", "-k", "new_visitor_has", environ=environ)
    assert status == 0, output


def test_a_lab_without_tests_is_an_error(run):
    status, _ = run("labs/03_cookie_cart", "-k", "nothing_is_called_this")
    assert status == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_labs_tests_run_over_a_socket(run):
    lab, chosen = "labs/04_session_cart", "an_added_item_is_shown or prolong_the_others"
    status, output = run(lab, "--lab-server=runserver", "-k", chosen, "--setup-show")
    assert status == 0, output
    assert "SETUP    S server" in output
    assert re.search(r"\b1 passed, \d+ deselected", output)  # the deselected test moves the clock


def test_over_a_socket_tests_that_need_the_process_are_left_out(run):
    lab = "labs/04_session_cart"
    status, output = run(lab, "--lab-server=waitress", "-m", "in_process")
    assert status == pytest.ExitCode.NO_TESTS_COLLECTED, output
    status, output = run(lab, "-m", "in_process", "--collect-only")
    assert status == 0, output
    for test in ("test_where_is_the_cart", "test_the_cart_expires_on_time"):
        assert test in output  # one of these tests has the mark, and the other uses `clock`


def test_on_mariadb_other_places_are_not_tested_again(run):
    lab, chosen = "labs/10_session_backends", ["-k", "room", "-m", "thorough", "--collect-only"]
    _, everything = run(lab, *chosen)
    status, output = run(lab, *chosen, "--lab-db=mysql")
    assert status == 0, output
    for engine in ("db", "cached_db", "cache", "file"):
        assert f"[{engine}]" in everything
        assert (f"[{engine}]" in output) is (engine in {"db", "cached_db"})


def test_a_missing_browser_skips_with_the_line_that_installs_it_and_fails_in_ci(run):
    arguments = ["labs/03_cookie_cart", "-m", "browser", "-k", "hold", "-rs", "-p", "no_chromium"]
    blind = {"PYTHONPATH": str(SUPPORT)}
    status, output = run(*arguments, environ=blind)
    assert status == 0
    assert NOT_FOUND.format("Chromium") in output
    status, output = run(*arguments, environ=blind | {"CI": "1"})
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "a failure, since CI is set" in output


def test_a_missing_redis_skips_with_the_line_that_installs_it_and_fails_in_ci(run):
    arguments = ["labs/10_session_backends", "-m", "redis", "-k", "own", "-rs", "-p", "no_redis"]
    blind = {"PYTHONPATH": str(SUPPORT)}
    status, output = run(*arguments, environ=blind)
    assert status == 0
    assert NOT_FOUND.format("Redis's server") in output
    status, output = run(*arguments, environ=blind | {"CI": "1"})
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "a failure, since CI is set" in output
