"""Keep the last exchanges of this process in memory, up to a limit."""

import itertools
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator
from string import ascii_uppercase
from typing import Any

from labkit.panel import server_clock
from labkit.panel.access import is_loopback
from labkit.panel.models import ControlUse, Exchange
from labkit.panel.session_memory import SessionMemory

REMEMBERED = 2000  # exchanges
MOST_BYTES = 12_000_000  # of all exchanges together
MOST_CONTROLS = 100  # the maximum number of recorded uses of the instructor's controls
FOLLOWED_WITHIN = 60  # in seconds, the longest time between a redirect and the request for its page
# The letter of this server, if `lab run --servers` started several.
SERVER = os.environ.get("LAB_SERVER", "")


class Log:
    """The last exchanges of all visitors of this process, in order, with the newest at the end."""

    def __init__(self) -> None:
        self._exchanges: dict[str, Exchange] = {}  # by token
        self._bytes = 0
        self._redirects: dict[tuple[str, ...], list[Exchange]] = {}  # not yet followed
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._visitors: dict[tuple[str, ...], str] = {}
        self.sessions = SessionMemory()
        self.controls: deque[ControlUse] = deque(maxlen=MOST_CONTROLS)

    def begin(self, **request: Any) -> Exchange:
        """Return a new exchange for a request. `request` contains values of Exchange's fields."""
        number, token = next(self._numbers), secrets.token_hex(16)
        if SERVER:  # the letter tells the load balancer which server has this exchange
            token = f"{SERVER}-{token}"
        moved, monotonic = server_clock.moved(), time.monotonic()
        return Exchange(number, token, time.time(), moved, monotonic, **request)

    def add(self, exchange: Exchange) -> None:
        """Store an exchange once its response is complete."""
        # With several servers, another one may respond to the next request.
        single_server = not SERVER
        with self._lock:
            if exchange.location and single_server:
                target = (*_browser(exchange), exchange.location)
                self._redirects.setdefault(target, []).append(exchange)
            elif self._redirects:
                exchange.redirect = self._redirect_to(exchange)
            self._exchanges[exchange.token] = exchange
            exchange.counted = exchange.measure()
            self._bytes += exchange.counted
            while len(self._exchanges) > REMEMBERED or (
                self._bytes > MOST_BYTES and len(self._exchanges) > 1
            ):
                self._forget(next(iter(self._exchanges)))

    def _forget(self, token: str) -> None:
        exchange = self._exchanges.pop(token)
        self._bytes -= exchange.counted
        target = (*_browser(exchange), exchange.location)
        if exchange in self._redirects.get(target, []):
            self._redirects[target].remove(exchange)
        if not self._redirects.get(target, True):
            del self._redirects[target]

    def _redirect_to(self, exchange: Exchange) -> Exchange | None:
        """Return the redirect from the same peer and browser that led to this exchange, or None."""
        waiting = self._redirects.get((*_browser(exchange), exchange.path))
        if not waiting:
            return None
        sent = dict(exchange.sent_cookies())
        for earlier in reversed(waiting):
            if exchange.monotonic - earlier.monotonic >= FOLLOWED_WITHIN:
                break
            if _same_browser(earlier, sent):
                waiting.remove(earlier)
                return earlier
        return None

    def find(self, token: str) -> Exchange | None:
        """Return the exchange with this token, or None if it is no longer stored."""
        return self._exchanges.get(token)

    def newest(self) -> list[Exchange]:
        """Return all stored exchanges, newest first."""
        with self._lock:
            return list(reversed(self._exchanges.values()))

    def visitor(self, exchange: Exchange) -> str:
        """Return a name for this visitor: A at 127.0.0.1 and B at localhost, as in the console.

        Other browsers at the same host also get a number, such as A2. Visitors at other hosts get
        letters after B.
        """
        browser = _browser(exchange)
        with self._lock:
            if browser not in self._visitors:
                if len(self._visitors) >= 1000:
                    self._visitors.clear()
                taken = set(self._visitors.values())
                names = _visitor_names(exchange.host.partition(":")[0])
                self._visitors[browser] = next(name for name in names if name not in taken)
            return self._visitors[browser]

    def active_visitors(self, seconds: float) -> int:
        """Return the number of visitors with a stored exchange in the last `seconds`."""
        since = time.monotonic() - seconds
        with self._lock:
            recent = [each for each in self._exchanges.values() if each.monotonic >= since]
        return len({_browser(each) for each in recent})

    def clear(self) -> None:
        """Delete all exchanges and controls, count from 1 again, and note deleted sessions."""
        self.sessions.note_all_deleted()
        with self._lock:
            self._exchanges.clear()
            self._redirects.clear()
            self._visitors.clear()
            self.controls.clear()
            self._bytes = 0
            self._numbers = itertools.count(1)


def _browser(exchange: Exchange) -> tuple[str, ...]:
    return exchange.peer, exchange.agent, exchange.host


def _same_browser(earlier: Exchange, sent: dict[str, str]) -> bool:
    """Return whether the browser that got this response may also have sent the cookies `sent`.

    A request without cookies could come from any visitor. In this case, the result is True only for
    a loopback peer.
    """
    return earlier.may_be_followed_by(sent) and (bool(sent) or is_loopback(earlier.peer))


def _visitor_names(host: str) -> Iterator[str]:
    """Yield A, A2, A3 … or B, B2 …; for other hosts, C … Z, AA, AB …, as in a spreadsheet."""
    if letter := {"127.0.0.1": "A", "localhost": "B"}.get(host):
        yield letter
        yield from (f"{letter}{number}" for number in itertools.count(2))
    words = (itertools.product(ascii_uppercase, repeat=length) for length in itertools.count(1))
    yield from itertools.islice(map("".join, itertools.chain.from_iterable(words)), 2, None)


log = Log()
