"""The HTTP server of the labs and console: waitress, with limits on each client's resources.

A whole class may share one IP address, so there are no limits per peer. Instead, waiting
connections are closed to make room: first those that never sent a complete request, then idle ones,
then those that do not read their response.
https://docs.pylonsproject.org/projects/waitress/en/stable/arguments.html
"""

import errno
import logging
import os
import string
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import resources
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import WSGITask
from waitress.utilities import Error

from labkit.http.connection import REQUEST_NUMBER
from labkit.serve.dispatcher import Dispatcher

# The limit for the request line and all headers. It is enough for the 180 cookies that browsers
# store for a host, if each has 300 bytes. runserver has the same limit for a single line.
LARGEST_HEAD = 65_536  # bytes
# This is above Django's own limit of 2.5 MB, so that Django can respond with its error page.
LARGEST_BODY = 3_000_000  # bytes
LARGEST_REST = 10_000_000  # how many bytes of a refused request are read before the response
HELD_BYTES = 16_000_000  # the limit for all pending requests and unsent responses together
SMALL = 16_384  # how many bytes a connection may hold even if the total exceeds HELD_BYTES

CONNECTIONS = 1000  # the maximum; it is lower if the system allows fewer open files
LEAST_CONNECTIONS = 16
SPARE_FILES = 100  # files reserved for database connections, session files and logs
WINDOWS_CONNECTIONS = 400  # select() there takes 512
REQUEST_SECONDS = 20  # the time limit from the first to the last byte of a request
IDLE_SECONDS = 60  # the time limit between requests, and before the first request
UNREAD_SECONDS = 30  # the time limit while the client reads no byte of the response
GRACE_SECONDS = 0.25  # how long a new connection is safe from being closed to make room
ACCEPT_AT_ONCE = 64

# At each event, waitress checks all of its connections in Python. With a whole class, these checks
# take longer than the responses. After a pause, one check finds several connections that are ready
# (bench/burst.py).
CROWD = 30  # connections
REST = 0.005  # seconds

# A request begins with a method, which is a token (RFC 9110 section 9.1), or with empty lines (RFC
# 9112 section 2.2). Anything else is another protocol. For example, 0x16 begins a TLS handshake,
# from an https:// URL with the port of http.
FIRST_BYTES = frozenset((string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~\r\n").encode())

REFUSALS = {  # status -> title and sentence
    413: (
        "Request too large",
        f"A form can send at most {LARGEST_BODY // 1_000_000} MB. Nothing was changed.",
    ),
    431: (
        "Request header fields too large",
        f"Your browser sent more than {LARGEST_HEAD // 1024} kB of cookies and other header "
        "fields. Delete the cookies of this site, then reload the page.",
    ),
}
PAGE = string.Template(
    (resources.files(__package__) / "server_page.html").read_text(encoding="utf-8")
)
log = logging.getLogger("labkit.serve")


def page(status: int, title: str, message: str) -> bytes:
    """Return an HTML page for a response that is not from a lab."""
    return PAGE.substitute(status=status, title=title, message=message).encode()


class Refusal(Error):
    """The error for a request that is refused before it reaches the lab."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        """Return the status line, headers and body."""
        headers = [("Content-Type", "text/html; charset=utf-8")]
        return f"{self.code} {self.reason}", headers, page(self.code, *REFUSALS[self.code])


class Parser(HTTPRequestParser):
    """A parser that reads the rest of an oversized request, up to LARGEST_REST, before responding.

    A connection that is closed with unread bytes is reset, and the browser shows an error instead
    of the page: https://www.rfc-editor.org/rfc/rfc9112#section-9.6
    """

    error: Any
    expect_continue: bool
    header_plus: bytes
    _discards = False
    _tail = b""  # of discarded header bytes
    _discarded = 0
    _rest = LARGEST_REST  # bytes left to discard; reading stops earlier at the end of the header

    def received(self, data: bytes) -> int:
        """Process the next bytes; return the number of bytes that belong to this request."""
        if self._discards:
            return self._discard(data)
        end = self.header_plus[-3:] + data
        taken: int = super().received(data)
        if self.error is not None and self.error.code in REFUSALS:
            self.error = Refusal(self.error.code, self.error.reason)
            self.header_plus = b""
            if self.error.code == 431:
                self._tail = end[-3:]
                self._discards = b"\r\n\r\n" not in end
            elif self.content_length <= LARGEST_REST and not self.chunked:
                self._rest = self.content_length
                self._discards = not self.expect_continue
            self.expect_continue = False  # the response replaces "100 Continue"
            self.completed = not self._discards
        return taken

    def _discard(self, data: bytes) -> int:
        self._discarded += len(data)
        if self.error.code == 431:
            end = self._tail + data
            self._tail = end[-3:]
            self.completed = b"\r\n\r\n" in end
        self.completed = self.completed or self._discarded >= self._rest
        return len(data)


class Task(WSGITask):
    """Handles a request, and tells the application its number on the connection."""

    def get_environment(self) -> dict[str, Any]:
        """Return the WSGI environ."""
        environ: dict[str, Any] = super().get_environment()
        environ[REQUEST_NUMBER] = self.channel.served
        return environ


class Channel(HTTPChannel):
    """A connection that tracks how long it has waited and how much memory it uses."""

    parser_class = Parser
    task_class = Task
    served = 0  # the number of requests so far, including the current one

    def __init__(self, server: "Listener", *arguments: Any, **options: Any) -> None:
        self.since = time.monotonic()  # when the wait began, by a clock that is never moved
        self.answered = False
        self._received = 0  # bytes of pending requests
        super().__init__(server, *arguments, **options)

    @property
    def held(self) -> int:
        """The number of bytes that this connection holds in memory."""
        return self._received + int(self.total_outbufs_len)

    @property
    def waits(self) -> bool:
        """True if no request on this connection is queued or being handled."""
        return not (self.requests or self.will_close)

    @property
    def time_limit(self) -> float:
        """The limit for the connection's current wait, in seconds."""
        if self.total_outbufs_len:
            return UNREAD_SECONDS
        return IDLE_SECONDS if self.request is None else REQUEST_SECONDS

    @property
    def is_large(self) -> bool:
        """True if a request on this connection has a large body."""
        requests = [*self.requests, self.request] if self.request else self.requests
        return any(each.chunked or each.content_length > SMALL for each in requests)

    def readable(self) -> bool:
        """Return whether to read more; large bodies are read one at a time."""
        owner = self.server.owner
        if not super().readable() or (owner.is_full and self._received >= SMALL):
            return False
        return not self.is_large or owner.is_turn_of(self)

    def received(self, data: bytes) -> bool:
        """Process bytes from the client."""
        is_new = self.request is None
        if is_new and not self.requests and data[:1] and data[0] not in FIRST_BYTES:
            self.handle_close()
            return False
        self._received += len(data)
        self.server.owner.count(len(data))
        if not self.connected:  # the server closed it because it used the most memory
            return False
        taken: bool = super().received(data)
        if is_new:
            self.since = time.monotonic()
        return taken

    def service(self) -> None:
        """Handle one request in a thread."""
        self.since = time.monotonic()
        self.served += 1
        super().service()
        self.answered = True
        self.since = time.monotonic()
        if not self.requests:
            self._received = 0

    def handle_write(self) -> None:
        """Send part of the response."""
        left = self.total_outbufs_len
        super().handle_write()
        if self.total_outbufs_len < left:
            self.since = time.monotonic()


class Listener(TcpWSGIServer):
    """Listens at one address."""

    channel_class = Channel

    def __init__(self, *arguments: Any, owner: "HttpServer", **options: Any) -> None:
        self.owner = owner
        super().__init__(*arguments, **options)

    def readable(self) -> bool:
        """Return whether to accept connections."""
        return bool(self.accepting) and self.owner.has_room()

    def accept(self) -> Any:
        """Accept a connection, or lower the limit if there are too many open files."""
        try:
            return super().accept()
        except OSError as error:
            if error.errno in {errno.EMFILE, errno.ENFILE}:
                self.owner.lower_limit()
            return None

    def handle_accept(self) -> None:
        """Accept all waiting connections. Waitress itself accepts only one per event."""
        for _ in range(ACCEPT_AT_ONCE):
            if not self.owner.make_room():
                return
            known = len(self.active_channels)
            super().handle_accept()
            if len(self.active_channels) <= known:
                return


class HttpServer:
    """Serves a WSGI application at several addresses."""

    def __init__(
        self, application: Callable[..., Any], port: int, addresses: Iterable[str], threads: int
    ) -> None:
        """Start listening; `run()` handles requests. Raises OSError if an address is in use."""
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._limit = connection_limit()
        self._uncounted = 0  # bytes received since the last check of the total
        self._tidied = 0.0
        self._stopped = False
        self.is_full = False
        self._turn: Channel | None = None  # the connection whose large body is currently being read
        adjustments = Adjustments(
            listen=" ".join(f"{address}:{port}" for address in addresses),
            threads=threads,
            backlog=1024,  # waiting connections; this is enough for a whole class
            recv_bytes=32_768,
            max_request_header_size=LARGEST_HEAD,
            max_request_body_size=LARGEST_BODY,
            inbuf_overflow=LARGEST_BODY + LARGEST_HEAD,  # no temporary files
            log_socket_errors=False,  # such errors are normal: clients may disconnect at any time
            # labkit.panel.access uses these headers to recognize requests from a proxy.
            clear_untrusted_proxy_headers=False,
            ident=None,
        )
        dispatcher = Dispatcher()
        dispatcher.set_thread_count(threads)
        self._sockets: dict[int, Any] = {}  # by file descriptor
        self._listeners = [
            Listener(
                application,
                self._sockets,
                owner=self,
                dispatcher=dispatcher,
                adj=adjustments,
                sockinfo=place,
            )
            for place in adjustments.listen
        ]

    def run(self) -> None:
        """Handle requests until `stop()` is called, with pauses if there are many connections."""
        # Windows has no poll(), so waitress uses select() there.
        while not self._stopped:
            wait = 1.0 if self.has_room() else GRACE_SECONDS / 4
            wasyncore.loop(timeout=wait, use_poll=os.name != "nt", map=self._sockets, count=1)
            self._tidy()
            if len(self._sockets) > CROWD:
                time.sleep(REST)
        wasyncore.close_all(self._sockets)

    def stop(self) -> None:
        """Close all connections, so that `run()` returns soon."""
        self._stopped = True
        with suppress(OSError):  # `run()` may have stopped already and closed the trigger
            self._listeners[0].pull_trigger()

    def has_room(self) -> bool:
        """Return whether a connection can be accepted, possibly after closing another one."""
        return len(self._sockets) < self._limit or self._least_needed() is not None

    def make_room(self) -> bool:
        """Close a connection if the limit is reached; return whether there is room."""
        if len(self._sockets) < self._limit:
            return True
        if channel := self._least_needed():
            channel.handle_close()
        return channel is not None

    def is_turn_of(self, channel: Channel) -> bool:
        """Return whether a large body of this connection may be read."""
        if self._turn is None or not (self._turn.connected and self._turn.is_large):
            self._turn = channel
        return self._turn is channel

    def lower_limit(self) -> None:
        """Allow fewer connections from now on, because the process cannot open more files."""
        self._limit = max(LEAST_CONNECTIONS, len(self._sockets) * 3 // 4)
        log.warning("Too many open files: at most %d connections from now on", self._limit)

    def count(self, received: int) -> None:
        """Count received bytes, and check from time to time how much memory all connections use."""
        self._uncounted += received
        if self._uncounted > HELD_BYTES // 16:
            self._limit_memory()

    def _channels(self) -> list[Channel]:
        return [channel for each in self._listeners for channel in each.active_channels.values()]

    def _least_needed(self) -> Channel | None:
        """Return the connection to close first, or None if none has waited long enough."""
        before = time.monotonic() - GRACE_SECONDS
        waiting = [each for each in self._channels() if each.waits and each.since < before]
        return min(
            waiting,
            key=lambda each: (bool(each.total_outbufs_len), each.answered, each.since),
            default=None,
        )

    def _tidy(self) -> None:
        """Once a second, close connections that have waited too long."""
        now = time.monotonic()
        if now - self._tidied < 1:
            return
        self._tidied = now
        for channel in self._channels():
            if channel.waits and now - channel.since > channel.time_limit:
                channel.handle_close()
        self._limit_memory()

    def _limit_memory(self) -> None:
        """Close the connections that use the most memory until the total is within HELD_BYTES."""
        self._uncounted = 0
        channels = self._channels()
        held = sum(channel.held for channel in channels)
        if held > HELD_BYTES:
            for channel in sorted(channels, key=lambda each: each.held, reverse=True):
                if held <= HELD_BYTES:
                    break
                if channel.waits and channel.held > SMALL:
                    held -= channel.held
                    channel.handle_close()
        self.is_full = held > HELD_BYTES


def connection_limit() -> int:
    """Raise the limit for open files if possible; return the limit for connections."""
    try:
        import resource
    except ImportError:  # Windows
        return WINDOWS_CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited, wanted = resource.RLIM_INFINITY, CONNECTIONS + SPARE_FILES
    if soft != unlimited and soft < wanted:
        soft = wanted if hard == unlimited else min(wanted, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == unlimited:
        return CONNECTIONS
    return max(LEAST_CONNECTIONS, min(wanted, soft) - SPARE_FILES)
