"""Test labkit.testing.pytest_runner: each test's outcome, and why a run is incomplete."""

import subprocess
import sys
from pathlib import Path

import pytest
from serving import alive, until

from labkit.catalog import CatalogError
from labkit.testing import pytest_runner
from labkit.testing.pytest_runner import ALL_TIME, NO_TESTS, TIME, UNKNOWN, run_tests

# Other tests, such as tests/commands/test_installed.py, start new processes.
pytestmark = pytest.mark.usefixtures("forked_runs")

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


@pytest.mark.parametrize("name", ["red apple"])
def test_has_a_blank_in_its_name(name): ...
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "test_broken.py").write_text("import nothing_of_this_name\n")
    finished = []
    run = run_tests(tmp_path, str(tmp_path), on_finished=finished.append)
    assert run.stop is None
    assert [test.id for test in run.tests] == finished
    assert len(finished) == run.expected
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
    assert "test_has_a_blank_in_its_name[red apple]" in outcomes
    passed = next(test for test in run.tests if test.outcome == "passed")
    assert passed.properties == {"answer": "yes"}
    (line,) = (test.places for test in run.tests if test.id.endswith("test_fails"))
    assert line == [("test_it.py", TESTS.splitlines().index("    assert 1 == 2") + 1)]
    (file,) = run.uncollected
    assert file.id == "test_broken.py"
    assert "nothing_of_this_name" in file.message


def test_a_wrong_option_is_not_a_complete_run(tmp_path):
    run = run_tests(tmp_path, "--no-such-option")
    assert (run.stop.cause, run.stop.test, run.tests) == (UNKNOWN, "", [])
    assert "--no-such-option" in run.output


THREE = '''
import ctypes, os, pytest, subprocess, sys, threading, time

CATCH_ALL = """
while True:
    try:
        time.sleep(1)
    except BaseException:
        pass
"""


def work():
    {code}


def test_before(): ...


def test_it():
    work()


def test_after(): ...
'''
WORK = THREE.splitlines().index("    {code}") + 1
ENDINGS = {
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "pytest.exit('enough', returncode=0)": "Exit",
    "os._exit(0)": "os._exit",
    "os.kill(os.getpid(), 15)": "SIGTERM",
    "ctypes.string_at(0)": "SIGSEGV",
    "os.execv(sys.executable, [sys.executable, '-c', ''])": UNKNOWN,
}


def run_three(folder, code, **options):
    (folder / "test_three.py").write_text(THREE.format(code=code))
    return run_tests(folder, str(folder), **options)


def innermost(stop):
    """Return the innermost call in test_three.py, from the first stack that contains one."""
    ours = [[place for place in stack if "test_three" in place[0]] for stack in stop.stacks]
    path, line, function = next(filter(None, ours))[-1]
    return Path(path).name, line, function


@pytest.mark.parametrize(("code", "cause"), ENDINGS.items())
def test_a_run_that_ends_early_is_not_complete(tmp_path, code, cause):
    run = run_three(tmp_path, code)
    assert run.stop.cause == cause
    assert run.stop.sentence
    assert run.stop.test.endswith("::test_it")
    assert [test.id.rpartition("_")[2] for test in run.tests] == ["before"]
    assert run.expected == 3
    # Execv() replaces the program, so the watchdog cannot record where it was called.
    if cause != UNKNOWN:
        assert innermost(run.stop) == ("test_three.py", WORK, "work")


WAITS = {
    "a loop that catches all": "exec(CATCH_ALL)",
    "one call in C": "__import__('re').match('(a*)*c', 'a' * 40)",
}


@pytest.mark.parametrize("code", WAITS.values(), ids=WAITS)
def test_a_test_that_never_ends_is_named(tmp_path, code):
    run = run_three(tmp_path, code, seconds=2)
    assert run.stop.cause == TIME
    assert run.stop.test.endswith("::test_it")
    assert innermost(run.stop) == ("test_three.py", WORK, "work")
    assert [test.id.rpartition("_")[2] for test in run.tests] == ["before"]


def test_a_thread_that_never_ends_is_named(tmp_path):
    run = run_three(tmp_path, "threading.Thread(target=time.sleep, args=[1000]).start()", seconds=2)
    assert run.stop.cause == TIME
    assert len(run.tests) == run.expected == 3


def test_many_slow_tests_have_a_limit_together(tmp_path, monkeypatch):
    monkeypatch.setattr(pytest_runner, "TESTS_IN_ALL", 1)
    test = "import pytest, time\n@pytest.mark.parametrize('n', range(99))\n"
    (tmp_path / "test_slow.py").write_text(f"{test}def test_it(n): time.sleep(1)\n")
    run = run_tests(tmp_path, str(tmp_path), seconds=3)
    assert run.stop.cause == ALL_TIME
    assert len(run.tests) < 99


def test_no_child_process_outlives_a_run(tmp_path):
    command = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)'])"
    code = f"p = {command}; p.returncode = 0; open('pid', 'w').write(str(p.pid))"
    run = run_three(tmp_path, code)
    assert run.stop is None
    pid = int((tmp_path / "pid").read_text())
    until(lambda: not alive([pid]))


KEYBOARD = """
import pdb, sys


def test_breakpoint():
    breakpoint()


def test_set_trace():
    pdb.set_trace()


def test_input():
    input()


def test_terminal():
    open("/dev/tty")


def test_standard_input():
    assert sys.__stdin__.read() == ""
    raise EOFError
"""


def test_nothing_waits_for_a_keyboard(tmp_path):
    (tmp_path / "test_it.py").write_text(KEYBOARD)
    run = run_tests(tmp_path, str(tmp_path))
    assert run.stop is None
    assert [test.outcome for test in run.tests] == ["failed"] * 5
    assert run.tests[-1].message.startswith("EOFError")


LIMITS = """
import os


def test_memory():
    bytearray(2**31)


def test_output():
    while True:
        os.write(1, bytes(2**20))


def test_others():
    bytearray(2**20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems lack these limits")
def test_memory_and_output_have_a_limit(tmp_path):
    (tmp_path / "test_it.py").write_text(LIMITS)
    run = run_tests(tmp_path, str(tmp_path), memory=2**30)
    errors = [test.message.partition(":")[0] for test in run.tests]
    assert errors == ["MemoryError", "OSError", ""]


@pytest.mark.parametrize(
    ("name", "cause"), [("conftest.py", "SystemExit"), ("test_first.py", "KeyboardInterrupt")]
)
def test_an_end_while_loading_is_named(tmp_path, name, cause):
    (tmp_path / "test_second.py").write_text("def test_it(): ...")
    (tmp_path / name).write_text(f"raise {cause}")
    run = run_tests(tmp_path, str(tmp_path))
    assert (run.stop.cause, run.stop.test, run.tests) == (cause, "", [])
    path, line, _ = run.stop.stacks[0][-1]
    assert (Path(path).name, line) == (name, 1)


def test_a_loop_while_loading_is_named(tmp_path):
    (tmp_path / "test_first.py").write_text("while True: pass")
    run = run_tests(tmp_path, str(tmp_path), seconds=2)
    assert run.stop.cause == TIME
    assert any(Path(p).name == "test_first.py" for stack in run.stop.stacks for p, _, _ in stack)


def test_a_conftest_that_fails_is_not_a_complete_run(tmp_path):
    (tmp_path / "test_it.py").write_text("def test_it(): ...")
    (tmp_path / "conftest.py").write_text("nonsense")
    run = run_tests(tmp_path, str(tmp_path))
    assert run.stop.cause == UNKNOWN
    assert "NameError" in run.output


def test_a_run_without_tests_is_not_complete(tmp_path):
    assert run_tests(tmp_path, str(tmp_path)).stop.cause == NO_TESTS


def test_a_module_that_skips_itself_is_reported(tmp_path):
    skip = "import pytest\npytest.skip('not here', allow_module_level=True)"
    (tmp_path / "test_it.py").write_text(skip)
    (file,) = run_tests(tmp_path, str(tmp_path)).uncollected
    assert "not here" in file.message


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_a_run_ends_with_the_process_that_started_it(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import os, time\n"
        "def test_it():\n"
        "    open('pid', 'w').write(str(os.getpid())); os.rename('pid', 'started')\n"
        "    time.sleep(1000)\n"
    )
    code = (
        "import sys; from pathlib import Path; from labkit.testing.pytest_runner import run_tests;"
        "run_tests(Path(sys.argv[1]), sys.argv[1])"
    )
    started = tmp_path / "started"
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
    try:
        until(started.exists)
    finally:
        parent.kill()
        parent.wait()
    pid = int(started.read_text())
    until(lambda: not alive([pid]))


def test_variables_of_other_projects_do_no_harm(tmp_path, monkeypatch):
    for name in ("PYTHONOPTIMIZE", "PYTHONINSPECT", "PYTEST_ADDOPTS", "SESSION_ENGINE"):
        monkeypatch.setenv(name, "2")
    run = run_three(tmp_path, "assert not __debug__ or 'SESSION_ENGINE' in os.environ")
    assert run.stop is None
    assert [test.outcome for test in run.tests] == ["passed", "failed", "passed"]


def test_the_configuration_is_that_of_the_checkout(tmp_path, monkeypatch, checkout):
    """As after `pip install` without -e, there is no pyproject.toml around labkit."""
    monkeypatch.setattr(pytest_runner, "__file__", str(tmp_path / "site-packages/a/b/c.py"))
    found = pytest_runner.find_configuration(checkout.root)
    assert found == checkout.root / "pyproject.toml"
    with pytest.raises(CatalogError, match="-e"):
        pytest_runner.find_configuration(tmp_path)
