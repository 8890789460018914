"""`lab serve` serves other clients although some hold connections or send too much.

In these tests, the server may open only a few files, and its output is closed. bench/hostile.py
measures how long other clients wait.
"""

import contextlib
import os
import resource
import signal
import socket
import threading

import pytest
from serving import copy_of, reachable, serving, until

from labkit.processes.log_file import LARGEST_LOG, last_text

OPEN_FILES = 256
MOST_MEMORY = 100_000_000  # bytes
HEADERS = 2000
LARGE_HEADER = b"x" * 200_000
ANSWERABLE_HEADER = b"x" * 60_000
LAB = 3  # its number


def memory(pid):
    """Return a process's own memory in bytes, without swapped pages."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def prepare():
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    os.close(1)


@pytest.fixture(scope="module")
def served(checkout, tmp_path_factory, start):
    folder = copy_of(checkout, tmp_path_factory.mktemp("hostile"))
    with serving(folder, "--only", "03", wait=False, prepare=prepare) as served:
        until(lambda: reachable(served.port) and served.state("03") == "running")
        yield served


@pytest.fixture(autouse=True)
def unharmed(served, request):
    """Check that the lab and the console still respond, and use no more memory than before."""
    if request.function is test_a_lab_that_dies_is_restarted:
        yield
        return
    lab = served.worker(LAB)
    yield
    assert served.ask("/", number=LAB)[0] == 200
    assert served.state("03") == "running"
    assert served.worker(LAB) == lab  # it did not die
    assert memory(lab) < MOST_MEMORY
    log = served.log.parent / ".lab" / "03" / "server.log"
    assert log.stat().st_size <= LARGEST_LOG
    assert "Traceback" not in last_text(log, LARGEST_LOG)
    assert "Traceback" not in served.output


def connect(served, number=LAB):
    return socket.create_connection(("127.0.0.1", served.port + number), timeout=20)


@pytest.mark.parametrize("number", [0, LAB], ids=["console", "lab"])
@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"], ids=["idle", "half open"])
def test_others_are_answered_beside_300_connections(served, number, sent):
    with contextlib.ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(connect(served, number)).sendall(sent)
        path = "/" if number else "/console/"
        assert [served.ask(path, number=number)[0] for _ in range(3)] == [200] * 3


@pytest.mark.parametrize("field", ["Host", "User-Agent", "Cookie", "X-Other"])
def test_long_headers_leave_nothing_behind(served, field):
    _send_headers(served, field.encode() + b": " + LARGE_HEADER, HEADERS // 4, {431})


@pytest.mark.parametrize("field", ["Host", "User-Agent", "Cookie", "Referer"])
def test_long_headers_that_are_answered_leave_little(served, field):
    host = b"" if field == "Host" else b"Host: 127.0.0.1\r\n"
    line = host + field.encode() + b": " + ANSWERABLE_HEADER
    _send_headers(served, line, HEADERS // 8, {400} if field == "Host" else {200})


def _send_headers(served, line, count, expected):
    request = b"GET / HTTP/1.1\r\nConnection: close\r\n" + line + b"\r\n\r\n"
    statuses = []

    def send():
        for _ in range(count // 10):
            with connect(served) as connection:
                connection.sendall(request)
                statuses.append(int(connection.recv(20).split()[1]))

    senders = [threading.Thread(target=send) for _ in range(10)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len(statuses) == count // 10 * 10
    assert set(statuses) == expected


def test_a_body_of_300_mb_is_refused(served):
    size = 300_000_000
    with connect(served) as connection:
        connection.sendall(b"POST /add/ HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
        assert b" 413 " in connection.recv(100)
        with contextlib.suppress(OSError):  # until the server closes
            for _ in range(size // 1_000_000):
                connection.sendall(b"x" * 1_000_000)


def test_large_forms_take_turns(served):
    body = b"name=" + b"%C3%A9" * 400_000
    answers = []

    def send():
        status, _, _ = served.ask("/add/", number=LAB, method="POST", fields=body)
        answers.append(status)

    with contextlib.ExitStack() as stack:
        for _ in range(50):  # these never end
            with contextlib.suppress(OSError):
                head = b"POST /add/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2900000\r\n\r\n"
                stack.enter_context(connect(served)).sendall(head + b"x" * 20_000)
        assert served.ask("/", number=LAB)[0] == 200
    senders = [threading.Thread(target=send) for _ in range(8)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert answers == [403] * 8  # each form was sent without its CSRF token
    assert memory(served.worker(LAB)) < MOST_MEMORY


def test_a_tls_client_is_turned_away_at_once(served):
    with connect(served) as connection:
        connection.sendall(bytes.fromhex("1603010200010001fc0303") + b"x" * 506)
        assert connection.recv(1) == b""


def test_a_lab_that_dies_is_restarted(served):
    os.kill(served.worker(LAB), signal.SIGKILL)
    until(lambda: "SIGKILL" in served.says("03"))
    until(lambda: served.state("03") == "running")
    assert served.ask("/", number=LAB)[0] == 200
