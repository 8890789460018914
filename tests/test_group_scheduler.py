"""Test that tests which share a fixture run in one process of pytest-xdist."""

import os
import subprocess
import sys
from pathlib import Path

SUPPORT = Path(__file__).parent / "support"
CONFTEST = """\
from group_scheduler import GroupPlugin

def pytest_configure(config):
    config.pluginmanager.register(GroupPlugin())
"""
# Each test writes the ID of its process to a file with the test's name.
MODULE = """\
import os
from pathlib import Path
import pytest

@pytest.fixture(scope="module")
def server():
    pass

@pytest.mark.parametrize("number", range(6))
def test_it({fixture}number):
    Path(f"{name}-{{number}}").write_text(str(os.getpid()))
"""
MARK = 'pytestmark = pytest.mark.xdist_group("of two files")\n'


def test_tests_of_a_group_run_in_one_process(tmp_path):
    (tmp_path / "conftest.py").write_text(CONFTEST)
    for name in ("first", "second"):
        (tmp_path / f"test_{name}.py").write_text(MODULE.format(name=name, fixture="server, "))
    for name in ("third", "fourth"):
        text = MODULE.format(name=name, fixture="") + MARK
        (tmp_path / f"test_{name}.py").write_text(text)
    names = ("first", "second", "third", "fourth")
    files = [f"test_{name}.py" for name in names]
    command = [sys.executable, "-m", "pytest", *files, "-c", os.devnull, "--rootdir", "."]
    side_by_side = ["-n", "2", "--dist", "loadgroup", "--no-loadscope-reorder"]
    done = subprocess.run(
        [*command, *side_by_side, "-p", "no:labkit", "-p", "no:django"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(SUPPORT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    used = {name: {path.read_text() for path in tmp_path.glob(f"{name}-*")} for name in names}
    assert [len(used[name]) for name in names] == [1, 1, 1, 1]
    assert used["first"] != used["second"]
    assert used["third"] == used["fourth"]
