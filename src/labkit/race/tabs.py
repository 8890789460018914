"""Drives the tabs: real requests of the visitor's, by threads, through the whole WSGI application.

Not through the socket: a server that answers 8 requests at a time would make 50 tabs stand in line.
"""

import functools
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.http import HttpRequest, HttpResponse

from labkit.panel.log import kept_after, pairs
from labkit.race.hooks import KEY, Notes, Step, Tab, Wave

_running = threading.Lock()


class Busy(Exception):
    """A race is under way in this process; one at a time is enough for a class."""


@dataclass
class Race:
    """What came of it."""

    tabs: int
    adds: int
    goods: dict[str, int] = field(default_factory=dict)  # in the store at the end
    steps: list[Step] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)  # status -> how many
    set_cookies: dict[str, str] = field(default_factory=dict)  # name -> its last Set-Cookie

    @property
    def kept(self) -> int:
        """How many of the adds are in the store."""
        return sum(self.goods.values())

    @property
    def lost(self) -> int:
        """And how many are not."""
        return self.adds - self.kept

    @property
    def answered(self) -> list[str]:
        """Such as "100 × 302 Found", the most frequent first."""
        return [f"{n} × {s} {HTTPStatus(s).phrase}" for s, n in self.answers.most_common()]

    def give_cookies_to(self, response: HttpResponse) -> None:
        """The cookies that the tabs were given, to the browser whose tabs they are."""
        for line in self.set_cookies.values():
            response.cookies.load(line)


def run(
    request: HttpRequest,
    paths: Mapping[str, str],
    tabs: int,
    adds: int,
    fields: Callable[[int], dict[str, Any]],
) -> Race:
    """Have this visitor's tabs send `adds` adds, in waves of one from each tab.

    paths: "begin", where a POST empties the cart, and so makes a session that all tabs share;
    "add", where a POST of fields(tab) adds one; "look", which answers the goods as JSON. `request`
    is a POST of the visitor's, with a CSRF token; its view must leave request.session alone.

    Raises Busy while another race is under way in this process.
    """
    browser = _Browser(request)
    race = Race(tabs, adds)
    notes = Notes(race.steps)
    with one_at_a_time(), ThreadPoolExecutor(tabs) as pool:
        browser.keep(pool.submit(browser.send, "POST", paths["begin"]).result())
        for number in range(1, adds // tabs + 1):
            wave = Wave(number, tabs)
            each = [Tab(tab, wave, notes) for tab in range(1, tabs + 1)]
            sent = [pool.submit(browser.add, paths["add"], fields(tab.number), tab) for tab in each]
            # Each was sent with the cookies from before the wave, as by tabs that know no better.
            for answer in [future.result() for future in as_completed(sent)]:
                race.answers[answer.status] += 1
                browser.keep(answer)
        seen = pool.submit(browser.send, "GET", paths["look"]).result()
    race.goods = json.loads(seen.body)
    race.set_cookies = browser.given
    return race


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """While this block runs, no other race is begun. Raises Busy where one is under way."""
    if not _running.acquire(blocking=False):
        raise Busy
    try:
        yield
    finally:
        _running.release()


@dataclass(frozen=True)
class _Answer:
    status: int
    set_cookies: list[str]
    body: bytes


@functools.cache
def _application() -> WSGIHandler:
    return WSGIHandler()


class _Browser:
    """The visitor's browser once more: their cookies, their address, the token of their form."""

    def __init__(self, request: HttpRequest) -> None:
        own = ("HTTP_", "SERVER_", "REMOTE_", "SCRIPT_NAME", "wsgi.")
        self._environ = {k: v for k, v in request.META.items() if k.startswith(own)}
        # To the panel it is another visitor: the redirects of these tabs are followed by nobody.
        self._environ["HTTP_USER_AGENT"] = f"tabs of {request.META.get('HTTP_USER_AGENT', '')}"
        self._token = request.POST.get("csrfmiddlewaretoken", "")
        self._cookies = dict(pairs(request.META.get("HTTP_COOKIE", "")))
        self.given: dict[str, str] = {}

    def add(self, path: str, fields: dict[str, Any], tab: Tab) -> _Answer:
        try:
            return self.send("POST", path, fields, tab)
        finally:
            tab.wave.arrive(tab.number)  # also where it was refused before it had read

    def send(
        self, method: str, path: str, fields: dict[str, Any] | None = None, tab: Tab | None = None
    ) -> _Answer:
        """One request through all middleware, in the thread that calls."""
        body = b""
        if method == "POST":
            body = urlencode({"csrfmiddlewaretoken": self._token, **(fields or {})}).encode()
        environ = self._environ | {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_COOKIE": "; ".join(f"{n}={v}" if n else v for n, v in self._cookies.items()),
            "wsgi.input": BytesIO(body),
            KEY: tab,
        }
        response: Any = _application()(environ, lambda status, headers: None)
        try:
            lines = [morsel.OutputString() for morsel in response.cookies.values()]
            return _Answer(response.status_code, lines, b"".join(response))
        finally:
            response.close()
            connections.close_all()  # `lab serve` leaves them open, and this thread soon ends

    def keep(self, answer: _Answer) -> None:
        """What this answer sets, as a browser does that keeps every cookie."""
        self.given |= {line.partition("=")[0]: line for line in answer.set_cookies}
        self._cookies = kept_after(self._cookies, answer.set_cookies)
