"""Test labkit when it is installed without -e, so that its code is not in a checkout."""

import os
import shutil
import subprocess
import sys

import pytest

from labkit.testing.pytest_runner import NO_CONFIGURATION

TEST = """
def test_the_page_opens(visitor):
    visitor.get("/")
"""


@pytest.fixture
def lab(own_checkout, checkout, tmp_path_factory):
    """Run `lab` from a copy of labkit in another folder; return (exit status, output)."""
    site = tmp_path_factory.mktemp("site-packages")
    shutil.copytree(checkout.root / "src" / "labkit", site / "labkit")

    def run(*arguments, folder=own_checkout):
        done = subprocess.run(
            [sys.executable, "-m", "labkit.cli", *arguments],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(site)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    return run


def test_a_check_takes_the_configuration_of_the_checkout(lab, own_checkout, checkout):
    tests = own_checkout / "labs" / "02_cookie_pagecount" / "tests"
    shutil.rmtree(tests)
    tests.mkdir()
    (tests / "test_few.py").write_text(TEST, encoding="utf-8")
    assert lab("copy", "02", "mine")[0] == 0
    status, text = lab("check", "mine")
    assert status == 1
    assert NO_CONFIGURATION.format(path=own_checkout / "pyproject.toml") in text
    shutil.copy(checkout.root / "pyproject.toml", own_checkout)
    assert lab("check", "mine")[0] == 0


def test_the_doctor_needs_no_checkout_around_labkit(lab):
    assert lab("doctor")[0] == 0


def test_outside_of_a_checkout_one_sentence_says_what_to_do(lab, tmp_path_factory):
    status, text = lab("list", folder=tmp_path_factory.mktemp("elsewhere"))
    assert status == 1
    assert "-e" in text
