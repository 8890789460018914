"""Test tests/support/forked_pytest.py: its copies run pytest as new processes do."""

import os
import sys

import pytest
from forked_pytest import pytest_server, run_forked

from labkit.testing import pytest_runner

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only on Linux")
SOURCE = """
import os
import signal
import sys

import labkit.testing.contracts


def test_an_assertion_is_explained():
    assert [1, 2] == [1, 3]


def test_python_is_as_after_its_start():
    labkit_modules = [name for name in sys.modules if name.startswith("labkit.serve")]
    handler = signal.getsignal(signal.SIGINT)
    assert (labkit_modules, handler) == ([], signal.default_int_handler)
    assert (sys.dont_write_bytecode, sys.path[0]) == (True, os.getcwd())
    assert type(labkit.testing.contracts.__loader__).__name__ == "AssertionRewritingHook"
"""


@pytest.mark.parametrize("kind", ["new", "copy"])
def test_a_copy_runs_as_a_new_process_does(tmp_path, monkeypatch, kind):
    if kind == "copy":
        monkeypatch.setattr(pytest_runner, "start_child", pytest_server().start_child)
    (tmp_path / "test_it.py").write_text(SOURCE)
    environ = {"PYTHONDONTWRITEBYTECODE": "1"}
    run = pytest_runner.run_tests(tmp_path, str(tmp_path), environ=environ)
    assert run.stop is None, run.output
    explained, started = run.tests
    assert "At index 1 diff: 2 != 3" in explained.message
    assert started.outcome == "passed", started.message


def test_the_status_and_the_output_are_those_of_pytest(tmp_path):
    (tmp_path / "test_it.py").write_text("def test_it(): print('written')\n")
    environ = {name: value for name, value in os.environ.items() if name != "LAB_RESULTS"}
    status, output = run_forked("-s", tmp_path, cwd=tmp_path, env=environ)
    assert status == pytest.ExitCode.OK
    assert "written" in output
    status, _ = run_forked("-k", "nothing", tmp_path, cwd=tmp_path, env=environ)
    assert status == pytest.ExitCode.NO_TESTS_COLLECTED
