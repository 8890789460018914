"""Send the tabs' requests from threads, through all of Django but without sockets.

Through a server with 8 threads, most of 50 tabs would have to wait, so their requests could not
overlap.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import SimpleCookie
from importlib import import_module
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.http import HttpRequest, HttpResponse

from labkit.http.cookie_header import parse_cookies, set_cookie_lines
from labkit.http.set_cookie import apply_set_cookies
from labkit.panel import session_recorder
from labkit.race.tab_overlap import Step, Tab, Wave

one_race = threading.Lock()  # one race at a time in each process is enough for a class


class RaceUnderWay(Exception):
    """Another race is running in this process."""


@dataclass
class Race:
    """The result of a race."""

    tabs: int
    adds: int
    goods: dict[str, int] = field(default_factory=dict)  # the cart that is stored at the end
    steps: list[Step] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)  # status -> number of responses
    # {name: the last cookie with this name}
    cookies: SimpleCookie = field(default_factory=SimpleCookie)

    @property
    def kept(self) -> int:
        """Return the number of adds that the stored cart contains."""
        return sum(self.goods.values())

    @property
    def lost(self) -> int:
        """Return the number of adds that were lost."""
        return self.adds - self.kept

    @property
    def responses(self) -> list[str]:
        """Return the responses, such as "100 × 302 Found", with the most frequent first."""
        return [f"{n} × {s} {HTTPStatus(s).phrase}" for s, n in self.statuses.most_common()]

    def set_cookies_on(self, response: HttpResponse) -> None:
        """Make a response set the cookies that the tabs have received."""
        response.cookies.update(self.cookies)


def run_race(
    request: HttpRequest,
    paths: Mapping[str, str],
    posts: Sequence[Mapping[str, Any]],
    adds: int,
    overlap: bool = True,
) -> Race:
    """Add items `adds` times from this visitor's tabs, in waves with one add per tab.

    request: the visitor's POST request with a CSRF token; its view must not use request.session.
    paths: a POST to "empty" empties the cart, and creates the session that all tabs share; a POST
    to "add" adds one item; "cart" returns the cart as JSON. posts: the form fields that each tab
    sends to "add", one mapping per tab. overlap: whether each tab waits until all tabs of its wave
    have read the cart; see `Wave`.

    Raises RaceUnderWay if another race is running in this process.
    """
    if not one_race.acquire(blocking=False):
        raise RaceUnderWay
    try:
        session_recorder.observe_sessions(import_module(settings.SESSION_ENGINE).SessionStore)
        tabs = len(posts)
        race = Race(tabs, adds)
        browser = _Browser(request, race.cookies)
        with ThreadPoolExecutor(tabs) as pool:
            browser.store_cookies(pool.submit(browser.send, paths["empty"], {}).result())
            for wave_number in range(1, adds // tabs + 1):
                wave = Wave(wave_number, tabs, overlap)
                # All tabs send the same cookies, as no tab has received a response of this wave.
                sent = [
                    pool.submit(browser.send, paths["add"], fields, Tab(number, wave, race.steps))
                    for number, fields in enumerate(posts, 1)
                ]
                for response in [future.result() for future in as_completed(sent)]:
                    race.statuses[response.status_code] += 1
                    browser.store_cookies(response)
            race.goods = json.loads(pool.submit(browser.send, paths["cart"]).result().content)
        return race
    finally:
        one_race.release()


class _Browser:
    """A copy of the visitor's browser, with its cookies, host and CSRF token.

    received: collects the cookies that responses set.
    """

    def __init__(self, request: HttpRequest, received: SimpleCookie) -> None:
        self._application = WSGIHandler()
        copied = ("HTTP_", "SERVER_", "REMOTE_", "SCRIPT_NAME", "wsgi.")
        self._environ = {k: v for k, v in request.META.items() if k.startswith(copied)}
        # The panel must treat these tabs as a different visitor, because they do not follow
        # redirects.
        self._environ["HTTP_USER_AGENT"] = f"tabs of {request.META.get('HTTP_USER_AGENT', '')}"
        self._token = request.POST.get("csrfmiddlewaretoken", "")
        self._cookies = dict(parse_cookies(request.META.get("HTTP_COOKIE", "")))
        self._received = received

    def send(
        self, path: str, fields: Mapping[str, Any] | None = None, tab: Tab | None = None
    ) -> HttpResponse:
        """Send a POST with these fields, or a GET, through all middleware in this thread."""
        form = {} if fields is None else {"csrfmiddlewaretoken": self._token, **fields}
        body = urlencode(form).encode()
        environ = self._environ | {
            "REQUEST_METHOD": "POST" if form else "GET",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_COOKIE": "; ".join(f"{n}={v}" if n else v for n, v in self._cookies.items()),
            "wsgi.input": BytesIO(body),
        }
        try:
            with tab.observed() if tab else nullcontext():
                response: Any = self._application(environ, lambda status, headers: None)
            response.close()
            return response
        finally:
            # `lab serve` keeps connections open, but this thread is about to end
            connections.close_all()

    def store_cookies(self, response: HttpResponse) -> None:
        """Store the cookies that this response sets."""
        self._received.update(response.cookies)
        lines = set_cookie_lines(response)
        self._cookies = apply_set_cookies(self._cookies, lines, time.time())
