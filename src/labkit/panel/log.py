"""One exchange as it is remembered, and the last of them, in memory and bounded."""

import itertools
import os
import pickle
import re
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from labkit.panel import clock
from labkit.panel.access import is_loopback

REMEMBERED = 2000  # exchanges
MOST = 20_000_000  # bytes of what was noted, in all of them together
LARGEST = 20_000  # bytes of one session as it was noted
FOLLOWED_WITHIN = 60  # seconds between a redirect and the page it led to
SERVER = os.environ.get("LAB_SERVER", "")  # the letter of this one, where there are several

# What is kept of a session's data: pickled at once, since a nested change would show in a copy.
Noted = bytes | None


def note(data: Any) -> Noted:
    """These data as they are at this moment; None where there are too many."""
    try:
        noted = pickle.dumps(data)
    except Exception:  # whatever a lab puts into its session, its page must not suffer
        return None
    return noted if len(noted) <= LARGEST else None


def recall(noted: Noted) -> dict[str, Any] | None:
    """What was noted; None where it was too much."""
    # Made in this process, from data of this process.
    return None if noted is None else pickle.loads(noted)


@dataclass(frozen=True)
class SessionAccess:
    """Somebody read or wrote a session."""

    wrote: bool
    place: str  # file and line
    own: bool  # whether the place is in the lab


@dataclass(frozen=True)
class StoreOperation:
    """Something that went between the server and the store."""

    kind: str  # "load", "save", "create" or "delete"
    store: int  # the number of the SessionStore, see watching.store_id
    key: str | None  # of the session, in the store
    data: Noted = None
    found: bool = True
    modified: bool = False  # whether the session had been changed before
    failed: str = ""  # the store's own words


@dataclass(eq=False, slots=True)
class Exchange:
    """One request and its answer."""

    number: int
    token: str  # its address
    at: float  # POSIX seconds, by the server's clock
    moved: float  # seconds by which that clock was ahead
    ticked: float  # time.monotonic(), which nobody moves
    method: str
    path: str  # with the query
    peer: str
    agent: str
    host: str
    scheme: str
    cookie_header: str
    # Number of the store -> {(file, line, whether it wrote): whether the file is the lab's}.
    touches: dict[int, dict[tuple[str, int, bool], bool]] = field(default_factory=dict)
    passages: list[StoreOperation] = field(default_factory=list)
    status: int = 0
    reason: str = ""
    location: str = ""
    content_type: str = ""
    length: int | None = None  # bytes of the answer, None where it streams
    set_cookies: list[str] = field(default_factory=list)
    form: str = ""  # what was sent as a form, encoded
    duration: float = 0.0  # seconds
    session: int | None = None  # the number of request.session
    engine: str = ""
    node: str = ""  # of a database cluster: the number of the one that was asked
    key: str = ""  # of request.session, in the end
    modified: bool = False
    after: Noted = None  # what request.session held in the end, where it was loaded
    before_this: "Exchange | None" = None  # the redirect that led here

    def loaded(self) -> StoreOperation | None:
        """How the visitor's session came out of the store; None where nobody asked for it."""
        return next(
            (p for p in self.passages if p.kind == "load" and p.store == self.session), None
        )

    def stored(self) -> StoreOperation | None:
        """The write that decided over the visitor's session; None where there was none.

        That a session with a new key deletes its old one decides nothing.
        """
        own = [p for p in self.passages if p.kind != "load" and p.store == self.session]
        deciding = (p for p in own if p.kind != "delete" or not self.key or p.key == self.key)
        return next(reversed(list(deciding)), None)

    @property
    def size(self) -> int:
        """Bytes of what was noted, more or less."""
        noted = [p.data for p in self.passages] + [self.after]
        texts = (self.cookie_header, self.path, self.form, *self.set_cookies)
        return sum(len(data) for data in noted if data) + sum(map(len, texts))

    def cookies_after(self) -> dict[str, str]:
        """What a browser that keeps every cookie sends next."""
        return kept_after(dict(pairs(self.cookie_header)), self.set_cookies)


def kept_after(cookies: dict[str, str], set_cookies: list[str]) -> dict[str, str]:
    """{name: value} of a browser that had these cookies and keeps every one that it is given."""
    kept = dict(cookies)
    for line in set_cookies:
        pair, _, attributes = line.partition(";")
        name, _, value = pair.partition("=")
        if deletes(attributes):
            kept.pop(name, None)
        else:
            kept[name] = value
    return kept


def deletes(attributes: str) -> bool:
    """Whether these attributes of a Set-Cookie end the cookie at once."""
    return re.search(r"max-age=(0|-\d+)", attributes, re.IGNORECASE) is not None


def pairs(header: str) -> Iterator[tuple[str, str]]:
    """(name, value) of each cookie in a Cookie header, as they stand there."""
    for part in header.split(";"):
        name, equals, value = part.strip().partition("=")
        if name or equals:
            yield (name, value) if equals else ("", name)


class Log:
    """The last exchanges of all visitors of this process, the newest last."""

    def __init__(self) -> None:
        self._kept: dict[str, Exchange] = {}  # by token
        self._bytes = 0
        self._redirects: dict[tuple[str, ...], list[Exchange]] = {}  # that nobody has followed yet
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._visitors: dict[tuple[str, ...], str] = {}

    def begin(self, **what: Any) -> Exchange:
        """A request has arrived."""
        number, token = next(self._numbers), secrets.token_urlsafe(18)
        if SERVER:  # each one remembers its own; by this labkit.clusters.load_balancer finds which
            token = f"{SERVER}-{token}"
        return Exchange(number, token, time.time(), clock.moved(), ticked=time.monotonic(), **what)

    def add(self, exchange: Exchange) -> None:
        """Its answer is ready."""
        alone = not SERVER  # of several another one answers what a redirect leads to
        with self._lock:
            if exchange.location and alone:
                where = (*_browser(exchange), exchange.location)
                self._redirects.setdefault(where, []).append(exchange)
            elif alone:
                exchange.before_this = self._redirect_to(exchange)
            self._kept[exchange.token] = exchange
            self._bytes += exchange.size
            while len(self._kept) > REMEMBERED or (self._bytes > MOST and len(self._kept) > 1):
                self._forget(next(iter(self._kept)))

    def _forget(self, token: str) -> None:
        exchange = self._kept.pop(token)
        self._bytes -= exchange.size
        where = (*_browser(exchange), exchange.location)
        if exchange in self._redirects.get(where, []):
            self._redirects[where].remove(exchange)
        if not self._redirects.get(where, True):
            del self._redirects[where]

    def _redirect_to(self, exchange: Exchange) -> Exchange | None:
        """The redirect that led here: same peer, same browser, no cookie speaks against it."""
        waiting = self._redirects.get((*_browser(exchange), exchange.path))
        if not waiting:
            return None
        now = dict(pairs(exchange.cookie_header))
        for earlier in reversed(waiting):
            if exchange.ticked - earlier.ticked >= FOLLOWED_WITHIN:
                break
            if _same_browser(earlier, now):
                waiting.remove(earlier)
                return earlier
        return None

    def find(self, token: str) -> Exchange | None:
        """The exchange at this address, unless it has been forgotten."""
        return self._kept.get(token)

    def newest(self) -> list[Exchange]:
        """All that is remembered, the newest first."""
        with self._lock:
            return list(reversed(self._kept.values()))

    def visitor(self, exchange: Exchange) -> str:
        """A letter for this visitor: A at 127.0.0.1 and B at localhost, as in the console.

        Another browser at the same address has a number as well; anyone else has a letter after B.
        """
        who = _browser(exchange)
        with self._lock:
            if who not in self._visitors:
                if len(self._visitors) >= 1000:
                    self._visitors.clear()
                self._visitors[who] = self._name(exchange.host.partition(":")[0])
            return self._visitors[who]

    def _name(self, host: str) -> str:
        taken = set(self._visitors.values())
        letter = {"127.0.0.1": "A", "localhost": "B"}.get(host)
        numbered = (f"{letter}{number if number > 1 else ''}" for number in itertools.count(1))
        names = numbered if letter else map(_letters, itertools.count(2))
        return next(name for name in names if name not in taken)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kept.clear()
            self._redirects.clear()
            self._visitors.clear()
            self._bytes = 0


def _browser(exchange: Exchange) -> tuple[str, ...]:
    return exchange.peer, exchange.agent, exchange.host


def _same_browser(earlier: Exchange, sent: dict[str, str]) -> bool:
    """Whether the browser that got this answer can be the one that sends these cookies now.

    All it had it still has; of what it was given it may have refused some, and nothing is new.
    Where neither has a cookie nothing tells visitors apart, so only at one's own desk it counts.
    """
    expected = earlier.cookies_after()
    kept = expected.keys() & dict(pairs(earlier.cookie_header)).keys()
    if not kept <= sent.keys() <= expected.keys():
        return False
    if not sent and not is_loopback(earlier.peer):
        return False
    return all(expected[name] == value for name, value in sent.items())


def _letters(number: int) -> str:
    """A, B ... Z, AA, AB ..."""
    name = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


log = Log()
