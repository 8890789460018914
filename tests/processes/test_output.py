"""Output causes no errors, in any encoding, or on closed pipes, full disks and narrow terminals."""

import contextlib
import inspect
import io
import os
import signal
import subprocess
import threading
from contextlib import contextmanager

import click
import pytest
from serving import LAB, LIMIT, alive, copy_of, descendants, reachable, serving, until

from labkit import cli
from labkit.processes.output import ASCII, DEGRADE, OutputThread, UnfailingFile
from labkit.processes.ports import free_port


def lab(*arguments, shell="", cwd=None, **options):
    """Run `lab` in a process; `shell` redirects its output."""
    command = ["sh", "-c", f'exec "$@" {shell}', "sh", *LAB, *arguments]
    environ = os.environ | options.pop("environ", {})
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.run(command, env=environ, cwd=cwd, timeout=LIMIT, check=False, **options)


@pytest.mark.parametrize(
    ("command", "encoding"), [("doctor", "ascii"), ("diff 03 04", "latin-1"), ("list", "utf-16")]
)
def test_any_encoding_will_do(checkout, command, encoding):
    environ = {"PYTHONIOENCODING": encoding}
    done = lab(*command.split(), cwd=checkout.root, environ=environ)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode(encoding)


@pytest.mark.parametrize(
    ("text", "encoding", "written"),
    [
        ("✓ 3 × → …", "latin-1", b"+ 3 \xd7 -> ..."),
        ("✗ café", ASCII, b"x cafe"),
        ("日本", "cp1252", b"??"),
        ("✓", "utf-8", "✓".encode()),
        ("caf\udce9", "utf-8", b"caf\xe9"),
        ("\ud800", "utf-8", b"?"),
    ],
)
def test_a_substitute_is_near(text, encoding, written):
    assert text.encode(encoding, DEGRADE) == written


@pytest.mark.parametrize(("shell", "written"), [("2>&- <&-", True), (">&- 2>&- <&-", False)])
def test_closed_streams_end_nothing(checkout, shell, written):
    done = lab("list", cwd=checkout.root, shell=shell)
    assert (done.returncode, done.stderr, bool(done.stdout)) == (0, b"", written)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has this device")
def test_a_full_disk_ends_nothing(checkout):
    done = lab("diff", "03", "04", cwd=checkout.root, shell="> /dev/full")
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_closed_pipe_ends_nothing(checkout):
    with reader_gone() as pipe:
        done = lab("diff", "03", "04", cwd=checkout.root, stdout=pipe)
    assert (done.returncode, done.stderr) == (0, b"")


@contextmanager
def reader_gone():
    """A pipe from which nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


def test_a_narrow_terminal_cuts_no_address(checkout):
    done = lab("list", cwd=checkout.root, environ={"COLUMNS": "20"})
    for each in checkout.labs:
        assert f"http://127.0.0.1:{each.port}/" in done.stdout.decode().split()


@pytest.mark.parametrize("command", ["compare", "diff 03 04"])
def test_a_narrow_terminal_ends_nothing(checkout, command):
    done = lab(*command.split(), cwd=checkout.root, environ={"COLUMNS": "3"})
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("command", [["list"], ["copy", "03", "x"]])
def test_a_deleted_folder_is_one_sentence(tmp_path, command):
    gone = tmp_path / "gone"
    gone.mkdir()
    script = 'cd "$0" && rmdir "$0" && exec "$@"'
    done = subprocess.run(
        ["sh", "-c", script, str(gone), *LAB, *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )
    assert done.returncode == 1
    assert cli.NO_FOLDER.partition("{")[0] in done.stderr
    assert "Traceback" not in done.stderr


def test_after_an_error_all_is_discarded(tmp_path):
    with reader_gone() as pipe:
        file = UnfailingFile(os.dup(pipe), "w")
    assert file.write(b"lost") == 4
    assert file.write(b"lost too") == 8
    assert os.fstat(file.fileno()).st_rdev == os.stat(os.devnull).st_rdev
    file.close()


def test_a_full_pipe_that_does_not_block_gets_all():
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    received = io.BytesIO()

    def read():
        while part := os.read(reading, 65536):
            received.write(part)

    reader = threading.Thread(target=read)
    reader.start()
    with UnfailingFile(writing, "w") as file:
        file.write(b"x" * 1_000_000)
    reader.join(LIMIT)
    assert len(received.getvalue()) == 1_000_000
    os.close(reading)


def test_printing_that_waits_holds_up_nothing_else():
    output, waits, reads, printed = OutputThread(), threading.Event(), threading.Event(), []
    output.call(waits.set)
    output.call(reads.wait, LIMIT)
    assert waits.wait(LIMIT)
    for number in range(2000):
        output.call(printed.append, number)
    assert printed == []
    reads.set()
    output.close()
    assert printed == list(range(len(printed)))  # the first ones
    assert len(printed) in {999, 1000}


def test_a_fault_in_printing_stops_no_later_line(capsys):
    output, printed = OutputThread(), []
    output.call(int, "no number")
    output.call(printed.append, "next")
    output.close()
    assert printed == ["next"]
    assert "ValueError" in capsys.readouterr().err


@contextmanager
def nobody_reads():
    """A pipe that is full."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 4096)
    os.set_blocking(writing, True)
    yield writing
    os.close(writing)
    os.close(reading)


OUTPUTS = {
    "reader gone": {"stdout": reader_gone},
    "nobody reads": {"stdout": nobody_reads},
    "latin-1": {"environ": {"PYTHONIOENCODING": "latin-1"}},
}


@pytest.mark.parametrize("output", OUTPUTS)
def test_lab_serve_goes_on_supervising(checkout, tmp_path, output):
    how = dict(OUTPUTS[output])
    with contextlib.ExitStack() as stack:
        if "stdout" in how:
            how["stdout"] = stack.enter_context(how["stdout"]())
        folder = copy_of(checkout, tmp_path)
        served = stack.enter_context(serving(folder, "--only", "03", wait=False, **how))
        until(lambda: reachable(served.port) and served.state("03") == "running")
        os.kill(served.worker(3), signal.SIGKILL)
        until(lambda: "SIGKILL" in served.says("03"))
        until(lambda: served.state("03") == "running")
        assert served.ask("/", number=3)[0] == 200
        assert "Traceback" not in served.output
    assert served.process.returncode == 0


def test_lab_run_goes_on_without_a_reader(checkout, tmp_path):
    port = free_port()
    process = subprocess.Popen(
        [*LAB, "run", "03", "--port", str(port)],
        cwd=copy_of(checkout, tmp_path),
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert str(port) in process.stdout.readline().decode()
        process.stdout.close()
        until(lambda: process.poll() is not None or reachable(port))
        assert process.poll() is None
    finally:
        started = descendants(process.pid)
        process.terminate()
        process.wait(LIMIT)
        until(lambda: not alive(started))


def test_help_needs_no_docstrings(checkout):
    def shown(optimize):
        environ = {"PYTHONOPTIMIZE": optimize}
        return lab("serve", "--help", cwd=checkout.root, environ=environ).stdout

    assert shown("2") == shown("0")


def test_the_help_of_each_command_is_read_from_its_file():
    context = click.Context(cli.main)
    for command in (cli.main, *(cli.main.get_command(context, name) for name in cli.COMMANDS)):
        assert cli.read_docstring(command.callback) == inspect.cleandoc(command.help)
