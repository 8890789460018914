"""One exchange as it is remembered, and the last of them, in memory and bounded."""

import itertools
import pickle
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

REMEMBERED = 200  # exchanges
LARGEST = 100_000  # bytes of one session as it was noted
FOLLOWED_WITHIN = 60  # seconds between a redirect and the page it led to

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
class Touch:
    """Somebody read or wrote a session."""

    wrote: bool
    place: str  # file and line
    own: bool  # whether the place is in the lab


@dataclass(frozen=True)
class Passage:
    """Something that went between the server and the store."""

    kind: str  # "load", "save", "create" or "delete"
    store: int  # the number of the SessionStore, see watching.store_id
    key: str | None  # of the session, in the store
    data: Noted = None
    raw: str | None = None  # as it stands in the store, where it is text
    found: bool = True
    failed: str = ""  # the store's own words


@dataclass
class Exchange:
    """One request and its answer. `sent` and `set` are lists, since names may stand there twice."""

    number: int
    token: str  # its address
    at: float  # POSIX seconds, by the server's clock, which may have been moved
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
    passages: list[Passage] = field(default_factory=list)
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
    modified: bool = False
    after: Noted = None  # what request.session held in the end, where it was loaded
    before_this: "Exchange | None" = None  # the redirect that led here
    followed: bool = False

    def loaded(self) -> Passage | None:
        """How the visitor's session came out of the store; None where nobody asked for it."""
        return next(
            (p for p in self.passages if p.kind == "load" and p.store == self.session), None
        )

    def stored(self) -> Passage | None:
        """The last write to the visitor's session; None where there was none."""
        writes = (p for p in self.passages if p.kind != "load" and p.store == self.session)
        return next(reversed(list(writes)), None)

    def cookies_after(self) -> dict[str, str]:
        """What a browser that keeps every cookie sends next."""
        kept = dict(pairs(self.cookie_header))
        for line in self.set_cookies:
            pair, _, attributes = line.partition(";")
            name, _, value = pair.partition("=")
            if "max-age=0" in attributes.lower():
                kept.pop(name, None)
            else:
                kept[name] = value
        return kept


def pairs(header: str) -> Iterator[tuple[str, str]]:
    """(name, value) of each cookie in a Cookie header, as they stand there."""
    for part in header.split(";"):
        name, equals, value = part.strip().partition("=")
        if name or equals:
            yield (name, value) if equals else ("", name)


class Log:
    """The last exchanges of all visitors of this process, the newest last."""

    def __init__(self) -> None:
        self._kept: deque[Exchange] = deque(maxlen=REMEMBERED)
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._visitors: dict[tuple[str, str, str], str] = {}

    def begin(self, **what: Any) -> Exchange:
        """A request has arrived."""
        return Exchange(
            next(self._numbers), secrets.token_urlsafe(18), time.time(), time.monotonic(), **what
        )

    def add(self, exchange: Exchange) -> None:
        """Its answer is ready."""
        with self._lock:
            if not 300 <= exchange.status < 400:
                exchange.before_this = self._redirect_to(exchange)
            self._kept.append(exchange)

    def _redirect_to(self, exchange: Exchange) -> Exchange | None:
        """The redirect that led here: same peer, same browser, no cookie speaks against it."""
        now = dict(pairs(exchange.cookie_header))
        for earlier in itertools.islice(reversed(self._kept), 30):
            if (
                earlier.location == exchange.path
                and not earlier.followed
                and exchange.ticked - earlier.ticked < FOLLOWED_WITHIN
                and (earlier.peer, earlier.agent, earlier.host)
                == (exchange.peer, exchange.agent, exchange.host)
                and _same_browser(earlier, now)
            ):
                earlier.followed = True
                return earlier
        return None

    def find(self, token: str) -> Exchange | None:
        """The exchange at this address, unless it has been forgotten."""
        return next((e for e in list(self._kept) if e.token == token), None)

    def newest(self) -> list[Exchange]:
        """All that is remembered, the newest first."""
        return list(reversed(self._kept))

    def visitor(self, exchange: Exchange) -> str:
        """A letter for this peer, browser and host."""
        who = (exchange.peer, exchange.agent, exchange.host)
        with self._lock:
            if who not in self._visitors:
                if len(self._visitors) >= 1000:
                    self._visitors.clear()
                self._visitors[who] = _letters(len(self._visitors))
            return self._visitors[who]

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kept.clear()
            self._visitors.clear()


def _same_browser(earlier: Exchange, sent: dict[str, str]) -> bool:
    """Whether the browser that got this answer can be the one that sends these cookies now.

    All it had it still has; of what it was given it may have refused some, and nothing is new.
    """
    expected = earlier.cookies_after()
    kept = expected.keys() & dict(pairs(earlier.cookie_header)).keys()
    if not kept <= sent.keys() <= expected.keys():
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
