"""A guard ends a server if, and only if, the process that started the server was killed."""

import os
import signal
import subprocess
import sys

import pytest
from serving import alive, until

from labkit.processes.guard import Guard, end_child_group
from labkit.processes.parent_pipe import on_signals

# A script that starts a process with a guard, prints the process ID, and waits to be killed.
STARTER = """
import subprocess, sys
from pathlib import Path
from labkit.processes.guard import Guard
command = [sys.executable, "-c", {program!r}]
started = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
guard = Guard(started.pid, Path(sys.argv[1]))
print(started.pid, flush=True)
sys.stdin.read()
guard.release()
"""
SLEEP = "import time; time.sleep(600)"


def start(folder):
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER.format(program=SLEEP), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    return starter, int(starter.stdout.readline())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_starter_leaves_no_server_and_no_folder(tmp_path, number):
    folder = tmp_path / "data"
    folder.mkdir()
    starter, server = start(folder)
    assert alive([server])
    os.killpg(starter.pid, number)
    starter.communicate()
    until(lambda: not alive([server]) and not folder.exists())


def test_a_released_server_goes_on(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    starter, server = start(folder)
    try:
        starter.communicate(timeout=60)  # which ends it normally
        assert alive([server])
        assert folder.exists()
    finally:
        os.killpg(server, signal.SIGKILL)


def test_a_stubborn_child_is_killed_with_its_own_child():
    inner = f"signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"
    code = f"import os, signal, sys, time; os.fork() or print(os.getpid(), flush=True); {inner}"
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
    )
    grandchild = int(child.stdout.readline())
    end_child_group(child, 0.2)
    assert child.returncode == -signal.SIGKILL
    until(lambda: not alive([grandchild]))
    child.stdout.close()


def test_a_guard_can_be_released_twice():
    child = subprocess.Popen([sys.executable, "-c", SLEEP], start_new_session=True)
    guard = Guard(child.pid)
    guard.release()
    guard.release()
    assert child.poll() is None
    end_child_group(child)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows has no SIGHUP")
def test_nohup_is_respected():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        on_signals(["SIGHUP"], lambda number: None)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        on_signals(["SIGHUP"], lambda number: None)
        assert callable(signal.getsignal(signal.SIGHUP))
    finally:
        signal.signal(signal.SIGHUP, before)
