"""A small round-robin load balancer for several servers of one lab.

The load balancer is meant only for loopback, to show a class the effects of several servers. A
connection carries one request, so that a browser with an open connection does not always reach the
same server. Requests and responses are relayed unchanged, except for the headers Connection, Via
and X-Forwarded-For. The last two mark the request as sent by a proxy, and so labkit.panel.access
hides the instructor's controls.
https://www.rfc-editor.org/rfc/rfc9110#section-7.6
"""

import asyncio
import contextlib
import re
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator

from labkit.processes import ports
from labkit.serve.http_server import (
    FIRST_BYTES,
    LARGEST_HEAD,
    REFUSALS,
    REQUEST_SECONDS,
    page,
)

SERVER_LETTERS = "ABCD"  # the letters that name the servers, in order
THREAD_SECONDS = 20  # time limit for ending the thread, which takes at most STOP_SECONDS
STOP_SECONDS = 2  # time limit for a browser to read the rest of its response
PANEL_PATH = re.compile(rb"[A-Z]+ /__lab__/(?:exchange/([A-D])-)?")  # with the server's letter
SAFE = (b"GET ", b"HEAD ")  # methods that change nothing, so these requests can be repeated
Streams = tuple[StreamReader, StreamWriter]
NO_SERVER = "No server is available. Try again in a moment."
UNKNOWN_OUTCOME = (
    "Server {letter} ended before it responded. It may or may not have processed the form: check "
    "before you send it again."
)


class LoadBalancer:
    """Relays requests to the servers at the ports `backends`, from `start()` to `stop()`."""

    def __init__(self, port: int, backends: list[int]) -> None:
        self._port = port
        self._backends = backends
        self._turn = 0
        self._loop = asyncio.new_event_loop()
        self._requests: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Start listening in a separate thread. Raise OSError if the port is in use."""
        listen = asyncio.start_server(
            self._connected, ports.LOOPBACK, self._port, limit=LARGEST_HEAD, backlog=1024
        )
        self._server = self._loop.run_until_complete(listen)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, and abort requests in progress."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(THREAD_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()

    def _run(self) -> None:
        self._loop.run_forever()
        self._loop.run_until_complete(self._abort())

    async def _abort(self) -> None:
        self._server.close()
        requests = asyncio.all_tasks() - {asyncio.current_task()}
        for task in requests:
            task.cancel()
        if requests:
            await asyncio.wait(requests, timeout=STOP_SECONDS)
        await asyncio.sleep(0)  # the loop's next iteration closes the connections

    def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Handle a new connection."""
        # Not a coroutine, since asyncio in Python 3.11 prints a traceback when one is cancelled.
        task = self._loop.create_task(self._answer(reader, writer))
        self._requests.add(task)  # keeps the task alive, since asyncio has only a weak reference
        task.add_done_callback(self._requests.discard)
        # Runs even if the task was cancelled before it started.
        task.add_done_callback(lambda _: writer.close())

    async def _answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Handle one request."""
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                first = await reader.readexactly(1)
                if first[0] not in FIRST_BYTES:
                    return
                head = first + await reader.readuntil(b"\r\n\r\n")
            await self._relay(with_headers(head, writer), reader, writer)
        except asyncio.LimitOverrunError:
            writer.write(error_response("431 Request Header Fields Too Large", REFUSALS[431][1]))
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            pass  # the browser has closed the connection, or does not send anything
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _relay(self, head: bytes, reader: StreamReader, writer: StreamWriter) -> None:
        for number in self._order(head):
            try:
                server = await asyncio.open_connection(ports.LOOPBACK, self._backends[number])
            except OSError:
                continue  # the server has ended, which the supervisor reports
            if await _exchange(head, (reader, writer), server):
                return
            if not head.startswith(SAFE):
                # If the request were repeated, another server might process it a second time.
                message = UNKNOWN_OUTCOME.format(letter=SERVER_LETTERS[number])
                writer.write(error_response("502 Bad Gateway", message))
                return
        writer.write(error_response("503 Service Unavailable", NO_SERVER))

    def _order(self, head: bytes) -> Iterator[int]:
        """Yield the numbers of the servers to try, in order.

        A panel page exists only in the memory of one server, whose letter is in the URL. Requests
        for the panel's static files do not affect whose turn it is. Otherwise, with two servers and
        an odd number of such requests per page, the same server would send every page.
        """
        count = len(self._backends)
        panel = PANEL_PATH.match(head)
        first = self._turn
        if panel and panel[1]:
            first = SERVER_LETTERS.index(panel[1].decode())
        elif not panel:
            self._turn = (self._turn + 1) % count
        yield from ((first + step) % count for step in range(count))


def with_headers(head: bytes, writer: StreamWriter) -> bytes:
    """Return a request's head with the headers that a proxy adds, and Connection: close."""
    peer = writer.get_extra_info("peername")[0]
    lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    kept = [line for line in lines if not line.lower().startswith((b"connection:", b"keep-alive:"))]
    added = [b"Connection: close", b"Via: 1.1 labkit", f"X-Forwarded-For: {peer}".encode()]
    return b"\r\n".join([*kept, *added, b"", b""])


async def _exchange(head: bytes, browser: Streams, server: Streams) -> bool:
    """Relay a request and its response; return whether the server sent at least one byte."""
    sending = asyncio.create_task(_copy(browser[0], server[1]))
    try:
        server[1].write(head)
        return await _copy(server[0], browser[1]) > 0
    finally:
        # The response is complete, although the server may not have read the whole request.
        server[1].transport.abort()
        sending.cancel()  # the browser may keep its end of the connection open
        await asyncio.wait([sending])


async def _copy(source: StreamReader, target: StreamWriter) -> int:
    """Copy bytes until the source ends or a connection breaks; return how many were copied."""
    copied = 0
    try:
        while part := await source.read(65536):
            copied += len(part)
            target.write(part)
            await target.drain()
    except ConnectionError:
        pass
    return copied


def error_response(status: str, message: str) -> bytes:
    """Return the load balancer's own response, for when no server responds."""
    code, _, title = status.partition(" ")
    body = page(int(code), title, message)
    lines = [f"HTTP/1.1 {status}", "Content-Type: text/html; charset=utf-8", "Retry-After: 1"]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body
