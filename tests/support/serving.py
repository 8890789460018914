"""Run `lab run` and `lab serve` as processes, for their tests and those of the console."""

import asyncio
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

from labkit.commands import run, serve
from labkit.http.client import BrowserClient
from labkit.processes.ports import free_port

LIMIT = 120  # in seconds; usually a few seconds on an idle machine
LAB = [sys.executable, "-m", "labkit.cli"]
SERVE = [*LAB, "serve"]


def copy_of(checkout, folder):
    """Copy the checkout into a folder, without .lab/."""
    ignored = shutil.ignore_patterns("__pycache__", ".pytest_cache")
    for name in ("labs", "docs"):
        shutil.copytree(checkout.root / name, folder / name, ignore=ignored)
    return folder


def free_base():
    """Return a port for the console, such that this port and those of 20 labs are free."""
    return free_port(*range(1, 21))


def reachable(port, address="127.0.0.1"):
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


def closed(*ports):
    """Wait until no process listens on these ports.

    The system reports a process as ended when its main thread has ended, but other threads may
    still have sockets open.
    """
    until(lambda: not any(reachable(port) for port in ports))


def ps(*arguments):
    done = subprocess.run(["ps", *arguments], capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def descendants(pid):
    """Return {process ID: command line} of all descendants of this process."""
    rows = [line.split(None, 2) for line in ps("-A", "-ww", "-o", "pid=,ppid=,args=")]
    found, parents = {}, {pid}
    while parents:
        born = {int(p): args for p, parent, args in rows if int(parent) in parents}
        found |= born
        parents = set(born)
    return found


def alive(pids):
    """Return the processes that have not ended. A zombie counts as ended."""
    rows = ps("-o", "pid=,stat=", "-p", ",".join(map(str, pids)))
    return [row for row in rows if " Z" not in row]


def plain(page):
    """Return the text of a page, without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def until(condition, limit=LIMIT):
    """Wait until the condition is true, and return its value."""
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
    def started(self):
        """Return True if the output says of every lab that it is running or has failed."""
        printed = re.findall(r"[✓✗] \d\d ", self.output)
        return serve.HOW_TO_END in self.output and len(printed) == self.page().count('id="state-')

    @property
    def children(self):
        return descendants(self.process.pid)

    def worker(self, number):
        """Return the process ID of this lab, or None while it has no process."""
        return self._find(f"lab:{self.port + number}")

    @property
    def fork_server(self):
        """Return the process ID of the process that starts the labs, or None."""
        return self._find("lab-fork-server", self.children)

    @staticmethod
    def _find(name, pids=()):
        """Return the ID of the process with this name in `ps`, or None. pids: where to look."""
        rows = (line.split(None, 2) for line in ps("-A", "-o", "pid=,stat=,comm="))
        found = (int(pid) for pid, stat, each in rows if each == name and "Z" not in stat)
        return next((pid for pid in found if not pids or pid in pids), None)

    def url(self, path="/console/", number=0, host="127.0.0.1"):
        return f"http://{host}:{self.port + number}{path}"

    def ask(self, path, *, number=0, to="127.0.0.1", method="GET", fields=None, **headers):
        """Send one request on a new connection; return (status, page, headers)."""
        connection = http.client.HTTPConnection(to, self.port + number, timeout=LIMIT)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if fields is not None:
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        try:
            body = urlencode(fields) if isinstance(fields, dict) else fields
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
        """Send a form of the console as a browser does; return the status."""
        return self.submit(path, **fields).status

    def submit(self, path, **fields):
        """Send a form of the console as a browser does; return the response."""

        async def send():
            browser = BrowserClient(self.port)
            await browser.get("/console/")
            return await browser.post(path, fields)

        return asyncio.run(send())

    def state(self, number):
        """Return the lab's state in the console: running, failed, ..."""
        return re.search(r'class="state (\w+)"', self._states(number))[1]

    def says(self, number):
        """Return the console's text about the lab's process."""
        return plain(self._states(number))

    def _states(self, number):
        return re.search(rf'id="state-{number}">(.*?)</p>', self.page(), re.DOTALL)[1]


@contextmanager
def serving(
    folder, *arguments, environ=None, end=signal.SIGINT, wait=True, stdout=None, prepare=None
):
    """Run `lab serve` in this checkout, end it with a signal, and check that all processes end.

    `prepare` is called in the new process.
    """
    port = free_base()
    log = folder / "serve.log"
    unset = {"DATABASE_URL", "LAB_STATE_DIR", "DJANGO_SETTINGS_MODULE", "SESSION_ENGINE"}
    own = {name: value for name, value in os.environ.items() if name not in unset}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*SERVE, "--port", str(port), *arguments],
            cwd=folder,
            env=own | {"PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"} | (environ or {}),
            stdin=subprocess.DEVNULL,
            stdout=output if stdout is None else stdout,
            stderr=output,
            start_new_session=True,
            preexec_fn=prepare,  # noqa: PLW1509
        )
    served = Serving(process, port, log)
    try:
        if wait:
            until(lambda: process.poll() is not None or served.started)
        yield served
    finally:
        started = served.children
        if process.poll() is None:
            # Ctrl-C and closing the terminal send a signal to the whole process group, but `kill`
            # only to one process.
            os.kill(process.pid if end == signal.SIGTERM else -process.pid, end)
        try:
            process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            # On this signal, Python writes the stacks of its threads.
            process.send_signal(signal.SIGABRT)
            process.wait(LIMIT)
            raise AssertionError(f"It did not end:\n{log.read_text()[-5000:]}") from None
        _none_left(started)


def _end_by_signals():
    """In CI, SIGINT or SIGHUP may be ignored, which child processes inherit."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@contextmanager
def running(*arguments, environ=None, end=signal.SIGINT, limit=LIMIT):
    """Run `lab run` in a separate session, and end it with a signal.

    `said()` returns the output so far; `output` contains all of it once the process has ended.
    """
    port = free_port()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as printed:
        process = subprocess.Popen(
            [*LAB, "run", *arguments, "--port", str(port)],
            env=os.environ | {"PYTHONUNBUFFERED": "1"} | (environ or {}),
            stdout=printed,
            stderr=printed,
            start_new_session=True,
            preexec_fn=_end_by_signals,  # noqa: PLW1509
        )
        process.port, process.url = port, f"http://127.0.0.1:{port}"
        process.said = lambda: os.pread(printed.fileno(), 1_000_000, 0).decode()
        last_words = run.HOW_TO_END if "--servers" in arguments else ""

        def started():
            return reachable(port) and last_words in process.said()

        try:
            until(lambda: process.poll() is not None or started(), limit)
            yield process
        finally:
            children = descendants(process.pid)
            if process.poll() is None:
                # Ctrl-C and closing the terminal send a signal to the whole process group, but
                # `kill` only to the process.
                os.kill(process.pid if end == signal.SIGTERM else -process.pid, end)
            process.wait(LIMIT)
            _none_left(children)
            process.output = process.said()


def _none_left(started):
    """Wait until these processes have ended; kill those that do not end."""
    try:
        until(lambda: not started or not alive(started))
    finally:
        for pid in started:  # the processes are also killed if the test has failed
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def page(url):
    with urllib.request.urlopen(url, timeout=LIMIT) as response:
        return response.read().decode()
