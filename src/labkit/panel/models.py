"""Classes for the panel's record of an exchange: request, response and session operations."""

import pickle
from dataclasses import dataclass, field
from operator import attrgetter
from sys import getsizeof
from typing import Any

from labkit.http.cookie_header import cookie_name, from_wire, parse_cookies
from labkit.http.set_cookie import is_deletion
from labkit.panel.crash import Crash
from labkit.panel.session_memory import KeyFate

LARGEST_SNAPSHOT = 20_000  # bytes
BLANKED = "…"  # the text that replaces a secret value in a form
# Approximate sizes, in bytes, of an exchange without its strings, of an operation without its data,
# and of an access. Adding up all fields for each request would be slow.
_REST, _OPERATION, _ACCESS = 1600, 200, 80
_TEXTS = attrgetter(
    *("method", "path", "peer", "agent", "host", "cookie_header", "reason", "location"),
    *("content_type", "form", "key", "no_bar", "token"),
)

# A session's pickled data. A shallow copy would change if data inside an entry changed.
Snapshot = bytes | None


def take_snapshot(data: Any) -> Snapshot:
    """Return a copy of these data, or None if they are too large or cannot be pickled."""
    try:
        snapshot = pickle.dumps(data)
    except Exception:  # the page must work even if the data cannot be pickled
        return None
    return snapshot if len(snapshot) <= LARGEST_SNAPSHOT else None


def open_snapshot(snapshot: Snapshot) -> dict[str, Any] | None:
    """Return the data in a snapshot, or None if the snapshot is None."""
    # Unpickling is safe, because the snapshot was made in this process.
    return None if snapshot is None else pickle.loads(snapshot)


@dataclass(frozen=True, slots=True)
class StoreOperation:
    """A load, save or delete in the session store."""

    # The kind of operation: "load", "save", "create", "delete", or "clear" for clear_expired().
    kind: str
    store_id: int  # of the SessionStore, see session_recorder.store_id; 0 for "clear"
    key: str | None  # the session key
    data: Snapshot = None
    found: bool = True
    modified: bool = False  # whether the session had been changed before the operation
    error: str = ""  # the exception that the store raised
    key_fate: KeyFate | None = None  # why a load found no session
    # When the session expired, in POSIX seconds; None if it has not.
    expired_at: float | None = None
    # After a save: when the store lets the session expire, in POSIX seconds, or None.
    expires: float | None = None


@dataclass(eq=False, slots=True)
class Exchange:
    """A request and its response."""

    number: int
    token: str  # the token that identifies the exchange in the URL of its page
    at: float  # in POSIX seconds, by the server's clock
    clock_ahead: float  # seconds by which the server's clock was ahead
    monotonic: float  # from time.monotonic(), which does not depend on the moved clock
    method: str = ""
    path: str = ""  # with the query
    peer: str = ""
    agent: str = ""
    host: str = ""
    scheme: str = ""
    request_number: int = 0  # the request's position on its connection, from 1; 0 if unknown
    cookie_header: str = ""
    # {store ID: {(file, line, whether it wrote): whether the file belongs to the lab}}
    accesses: dict[int, dict[tuple[str, int, bool], bool]] = field(default_factory=dict)
    operations: list[StoreOperation] = field(default_factory=list)
    status: int = 0
    reason: str = ""
    location: str = ""
    content_type: str = ""
    length: int | None = None  # the size of the response in bytes, or None if it is streamed
    set_cookies: list[str] = field(default_factory=list)
    form: str = ""  # the submitted form, encoded
    duration: float = 0.0  # seconds
    store_id: int | None = None  # of request.session
    engine: str = ""  # the session engine's dotted path; "" if the lab has no sessions
    node: str = ""  # the number of the database node that handled the request
    key: str = ""  # the session key of request.session at the end of the exchange
    modified: bool = False
    session_after: Snapshot = None  # the session's data at the end, if the session was loaded
    redirect: "Exchange | None" = None  # the redirect that led to this exchange
    crash: Crash | None = None  # the exception that no view caught, if any
    no_bar: str = ""  # a key of summary_bar.NO_BAR, if the page has no bar
    body_left_out: bool = False  # whether part of the request's body is missing in `form`
    has_secrets: bool = False  # whether a value in `form` was replaced with BLANKED
    # Whether the recorded path or Cookie header was cut because it was too long.
    is_cut: bool = False
    counted: int = 0  # the size in bytes that the log has counted for this exchange

    def measure(self) -> int:
        """Return the approximate memory use of this exchange and its redirect, in bytes."""
        # This is faster than adding up the size of each string.
        size = _REST + getsizeof("".join(_TEXTS(self)))
        for line in self.set_cookies:
            size += getsizeof(line)
        if self.session_after is not None:
            size += len(self.session_after)
        if self.crash is not None:
            size += self.crash.measure()
        for operation in self.operations:
            size += _OPERATION + getsizeof(operation.data) + getsizeof(operation.error)
        for accesses in self.accesses.values():
            size += getsizeof(accesses) + _ACCESS * len(accesses)
        return size + (self.redirect.counted if self.redirect else 0)

    def with_redirect(self) -> list["Exchange"]:
        """Return this exchange, preceded by the redirect that led to it."""
        return [self.redirect, self] if self.redirect else [self]

    def sent_cookies(self) -> list[tuple[str, str]]:
        """Return the (name, value) pairs of the request's cookies, without decoding them."""
        return list(parse_cookies(self.cookie_header))

    def set_cookie_names(self) -> list[str]:
        """Return the names of the cookies that the response sets or deletes."""
        return [from_wire(cookie_name(line)) for line in self.set_cookies]

    def may_be_followed_by(self, sent: dict[str, str]) -> bool:
        """Return whether a browser could send these cookies in the request after this exchange.

        A browser sends every cookie that it had, unless the response deleted the cookie, and every
        cookie that the response set. However, it may have refused a new cookie, or a deletion for
        another path.
        """
        possible = {name: {value} for name, value in self.sent_cookies()}
        expected = set(possible)
        for line in self.set_cookies:
            if is_deletion(line, self.at):
                expected.discard(cookie_name(line))
            else:
                value = line.partition(";")[0].partition("=")[2].strip()
                possible.setdefault(cookie_name(line), set()).add(value)
        return expected <= sent.keys() and all(
            value in possible.get(name, ()) for name, value in sent.items()
        )


@dataclass(frozen=True, slots=True)
class ControlUse:
    """The use of an instructor's control, which affects visits but is not an exchange of the lab.

    `exchange`: the request to the panel, with the cookies that the control set and its operations
    on sessions. `moved`: seconds by which the control moved the server's clock.
    """

    name: str  # as in the control's URL: "clock", "reset", "cookie" or "entry"
    exchange: Exchange
    moved: float
