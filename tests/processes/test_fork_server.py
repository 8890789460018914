"""Child processes that are copies of a fork server, which has no threads."""

import os
import random
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from serving import LIMIT, alive, until

from labkit.processes.fork_server import UNKNOWN_STATUS, ForkServer, ForkServerError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only on Linux")
# Each command consists of Python code and the arguments in `command[1:]`.
WAIT = "print('ready', flush=True); sys.stdin.read()"


def run_code(command):
    exec(command[0], {"sys": sys, "os": os, "random": random, "command": command})  # noqa: S102


@pytest.fixture
def python_handlers():
    """Handle SIGINT and SIGTERM, even if they are ignored, as in a background job of a shell."""
    handlers = {
        number: signal.signal(number, signal.default_int_handler)
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def start_server():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # about the thread of pytest-xdist
        return ForkServer(run_code)


@pytest.fixture
def fork_server(python_handlers):
    server = start_server()
    yield server
    server.stop()


@pytest.fixture
def start(fork_server, tmp_path):
    """Start a child that executes this code; its stderr is the file `log`."""
    children = []

    def begin(code, *arguments, cwd=tmp_path, env=None):
        with (tmp_path / "log").open("ab") as log:
            command = [code, *arguments]
            child = fork_server.start(command, cwd=cwd, env=env or {}, stderr=log)
        children.append(child)
        return child

    yield begin
    for child in children:
        child.stdin.close()
        child.stdout.close()
        child.wait(LIMIT)


def test_a_child_gets_arguments_folder_and_environment_only(start, tmp_path):
    code = "print(command[1:], os.getcwd(), dict(os.environ))"
    child = start(code, "one", "two", env={"LAB_NAME": "Anu"})
    found = child.stdout.readline().decode()
    assert found == f"['one', 'two'] {tmp_path} {{'LAB_NAME': 'Anu'}}\n"


def test_a_large_environment_arrives_whole(start):
    child = start("print(len(os.environ['LAB_TEXT']))", env={"LAB_TEXT": "x" * 500_000})
    assert child.stdout.readline() == b"500000\n"


def test_a_child_imports_from_its_own_folder(start, tmp_path):
    (tmp_path / "shopping.py").write_text("print('imported')")
    assert start("import shopping").stdout.readline() == b"imported\n"


def test_a_child_leads_its_own_session(start):
    child = start(WAIT)
    child.stdout.readline()
    assert os.getsid(child.pid) == child.pid != os.getsid(0)


def test_the_fork_server_leads_its_own_session(start, fork_server):
    start(WAIT).stdout.readline()
    assert os.getsid(fork_server.pid) == fork_server.pid  # so Ctrl-C does not reach it


def test_a_child_has_none_of_the_fork_servers_handlers(start):
    code = """
import signal
print(signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL, signal.set_wakeup_fd(-1))
"""
    assert start(code).stdout.readline() == b"True -1\n"


def test_too_many_processes_are_an_error_and_not_the_end(monkeypatch, python_handlers, tmp_path):
    fork, fails = os.fork, tmp_path / "fails"

    def fork_unless_full():
        if fails.exists():
            raise BlockingIOError
        return fork()

    monkeypatch.setattr(os, "fork", fork_unless_full)
    server = start_server()
    try:
        with (tmp_path / "log").open("ab") as log:
            fails.touch()
            with pytest.raises(ForkServerError):
                server.start([""], cwd=tmp_path, env={}, stderr=log)
            fails.unlink()
            child = server.start([""], cwd=tmp_path, env={}, stderr=log)
            child.stdin.close()
            child.stdout.close()
            assert child.wait(LIMIT) == 0
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("sys.exit('no module')", 1, "no module\n"),
        ("import nothing", 1, "ModuleNotFoundError: No module named 'nothing'\n"),
        ("os.kill(os.getpid(), 9)", -signal.SIGKILL, ""),
        ("os.kill(os.getpid(), 2)", -signal.SIGINT, ""),
        ("os.kill(os.getpid(), 15)", -signal.SIGTERM, ""),
    ],
)
def test_the_parent_learns_how_a_child_ended(start, tmp_path, code, status, said):
    child = start(code)
    assert child.wait(LIMIT) == child.returncode == status
    assert (tmp_path / "log").read_text().endswith(said)


def test_a_missing_folder_is_named_in_the_log(start, tmp_path):
    assert start("", cwd=tmp_path / "missing").wait(LIMIT) == 1
    assert str(tmp_path / "missing") in (tmp_path / "log").read_text()


def test_each_child_ends_with_its_own_stdin(start):
    first, second = start(WAIT), start(WAIT)
    for child in (first, second):
        assert child.stdout.readline() == b"ready\n"
    first.stdin.close()
    assert first.wait(LIMIT) == 0
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(0)
    second.kill()
    assert second.wait(LIMIT) == -signal.SIGKILL


def pipes(pid):
    """Return the pipes that a process has open."""
    files = Path(f"/proc/{pid}/fd")
    return {link for link in map(os.readlink, files.iterdir()) if link.startswith("pipe:")}


def test_a_child_has_no_pipe_of_another(start, fork_server):
    children = start(WAIT), start(WAIT)
    for child in children:
        assert child.stdout.readline() == b"ready\n"
    first, second = (pipes(child.pid) for child in children)
    common = first & second
    assert (len(first - common), len(second - common)) == (3, 3)  # stdin, stdout, exit status
    assert common <= pipes(fork_server.pid)  # which had them before


def test_children_draw_different_random_numbers(start):
    code = "print(random.random())"
    assert start(code).stdout.readline() != start(code).stdout.readline()


def test_children_go_on_without_the_fork_server(start, fork_server):
    child = start(WAIT)
    child.stdout.readline()
    os.kill(fork_server.pid, signal.SIGKILL)
    until(lambda: not alive([fork_server.pid]))
    with pytest.raises(ForkServerError):
        start(WAIT)
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0)
    child.stdin.close()
    assert child.wait(LIMIT) == UNKNOWN_STATUS


def test_the_fork_server_ends_with_its_parent(tmp_path):
    code = (
        "import os, sys; from labkit.processes.fork_server import ForkServer;"
        "server = ForkServer(lambda command: None); print(server.pid, flush=True);"
        "os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False)
    until(
        lambda: not Path(f"/proc/{int(done.stdout)}/fd").exists() or not alive([int(done.stdout)])
    )


def test_poll_does_not_wait(start):
    child = start(WAIT)
    assert child.poll() is None
    child.stdin.close()
    until(lambda: child.poll() is not None)
    assert child.poll() == 0
