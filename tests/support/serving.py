"""`lab run` and `lab serve` as processes to look at, for the tests of them and of the console."""

import contextlib
import html
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from urllib.parse import urlencode

from labkit.testing.lab_server import free_port

LIMIT = 40  # seconds
LAB = [sys.executable, "-m", "labkit.cli"]
SERVE = [*LAB, "serve"]
SETTLED = "Ctrl-C ends everything"  # the last words of `lab serve` before it waits
TAKE_TURNS = "Ctrl-C ends all."  # and those of `lab run --servers`


def copy_of(checkout, folder):
    """A checkout of one's own, with nothing in .lab/."""
    ignored = shutil.ignore_patterns("__pycache__", ".pytest_cache")
    for name in ("labs", "docs"):
        shutil.copytree(checkout.root / name, folder / name, ignore=ignored)
    return folder


def free_base():
    """A port for the console so that all labs' ports are free as well."""
    return free_port(*range(1, 13))


def reachable(port, address="127.0.0.1"):
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


def closed(*ports):
    """Wait until nobody listens at these ports any more; fails where somebody goes on.

    A process counts as ended when its first thread has; the others may close its sockets.
    """
    until(lambda: not any(reachable(port) for port in ports))


def ps(*arguments):
    done = subprocess.run(["ps", *arguments], capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def descendants(pid):
    """{process id: command line} of all that this process has started, directly or not."""
    rows = [line.split(None, 2) for line in ps("-A", "-ww", "-o", "pid=,ppid=,args=")]
    found, parents = {}, {pid}
    while parents:
        born = {int(p): args for p, parent, args in rows if int(parent) in parents}
        found |= born
        parents = set(born)
    return found


def alive(pids):
    """Those of these processes that have not ended (a zombie has)."""
    rows = ps("-o", "pid=,stat=", "-p", ",".join(map(str, pids)))
    return [row for row in rows if " Z" not in row]


def plain(page):
    """What a page says, without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def until(condition, limit=LIMIT):
    """Wait until this is true; fails where it does not become so."""
    deadline = time.monotonic() + limit
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


class Serving:
    """One running `lab serve`."""

    def __init__(self, process, port, log):
        self.process = process
        self.port = port
        self.log = log

    @property
    def output(self):
        return " ".join(self.log.read_text().split())

    @property
    def settled(self):
        """Whether it has told of each lab what became of it, for which it waits 10 s at most."""
        told = re.findall(r"[✓✗] \d\d ", self.output)
        return SETTLED in self.output and len(told) == self.page().count('id="state-')

    @property
    def children(self):
        return descendants(self.process.pid)

    def worker(self, number):
        """The process of this lab."""
        wanted = f"labkit.serve.worker {self.port + number} "
        return next(pid for pid, args in self.children.items() if wanted in args)

    def url(self, path="/console/", number=0, host="127.0.0.1"):
        return f"http://{host}:{self.port + number}{path}"

    def ask(self, path, *, number=0, to="127.0.0.1", method="GET", fields=None, **headers):
        """(status, page, headers) of one request, by a connection of its own."""
        connection = http.client.HTTPConnection(to, self.port + number, timeout=LIMIT)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if fields is not None:
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        try:
            body = None if fields is None else urlencode(fields)
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            return response.status, response.read().decode(), response.headers
        finally:
            connection.close()

    def page(self, path="/console/", **kwargs):
        status, page, _ = self.ask(path, **kwargs)
        assert status == 200, (path, status)
        return page

    def press(self, path, **fields):
        """Send a form of the console; the status."""
        _, page, headers = self.ask("/console/")
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page)[1]
        cookie = headers["Set-Cookie"].partition(";")[0]
        fields["csrfmiddlewaretoken"] = token
        return self.ask(path, method="POST", fields=fields, Cookie=cookie)[0]

    def state(self, number):
        """What the console says of this lab, in words."""
        found = re.search(rf'id="state-{number}">(.*?)</p>', self.page(), re.DOTALL)
        return plain(found[1])


@contextmanager
def serving(folder, *arguments, environ=None, end=signal.SIGINT, wait=True):
    """`lab serve` in this checkout; ended as told, and nothing of it is left then."""
    port = free_base()
    log = folder / "serve.log"
    unset = {"DATABASE_URL", "LAB_STATE_DIR", "DJANGO_SETTINGS_MODULE", "SESSION_ENGINE"}
    own = {name: value for name, value in os.environ.items() if name not in unset}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*SERVE, "--port", str(port), *arguments],
            cwd=folder,
            env=own | {"PYTHONUNBUFFERED": "1"} | (environ or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    house = Serving(process, port, log)
    try:
        if wait:
            until(lambda: process.poll() is not None or house.settled)
        yield house
    finally:
        started = house.children
        if process.poll() is None:
            # Ctrl-C and closing the terminal tell the whole group, `kill` tells the one process.
            os.kill(process.pid if end == signal.SIGTERM else -process.pid, end)
        process.wait(LIMIT)
        _none_left(started)


@contextmanager
def running(*arguments, environ=None, end=signal.SIGINT, limit=LIMIT):
    """`lab run` in a terminal of its own; ends it with Ctrl-C, or as told.

    `said()` is what it has printed so far, `output` all of it, once it has ended.
    """
    port = free_port()
    with tempfile.TemporaryFile("w+") as printed:
        process = subprocess.Popen(
            [*LAB, "run", *arguments, "--port", str(port)],
            env=os.environ | {"PYTHONUNBUFFERED": "1"} | (environ or {}),
            stdout=printed,
            stderr=printed,
            start_new_session=True,
            # A CI may start its runs with Ctrl-C ignored, which children inherit.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
        process.port, process.url = port, f"http://127.0.0.1:{port}"
        process.said = lambda: os.pread(printed.fileno(), 1_000_000, 0).decode()
        last_words = TAKE_TURNS if "--servers" in arguments else ""

        def started():
            return reachable(port) and last_words in process.said()

        try:
            until(lambda: process.poll() is not None or started(), limit)
            yield process
        finally:
            children = descendants(process.pid)
            if process.poll() is None:
                # Ctrl-C and closing the terminal tell the whole group, `kill` the one process.
                os.kill(process.pid if end == signal.SIGTERM else -process.pid, end)
            process.wait(LIMIT)
            _none_left(children)
            process.output = process.said()


def _none_left(started):
    """Wait until these processes have ended; fails where one does not, and ends it."""
    try:
        until(lambda: not started or not alive(started))
    finally:
        for pid in started:  # a test that failed leaves nothing behind either
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def page(url):
    with urllib.request.urlopen(url, timeout=LIMIT) as response:
        return response.read().decode()
