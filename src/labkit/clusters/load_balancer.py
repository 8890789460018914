"""A small round-robin in front of several servers of one lab: each request goes to the next one.

It is not meant for anything but loopback and a class's eyes. A connection carries one request, so
that a browser which keeps its connections open does not stay with one server. What it relays it
leaves as it is, but for the headers Connection, Via and X-Forwarded-For: by the last two a lab sees
that somebody asks in another's name, and keeps what is for the instructor's own machine to itself
(labkit.panel.access). https://www.rfc-editor.org/rfc/rfc9110#section-7.6
"""

import asyncio
import contextlib
import re
import threading
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator

from labkit.processes import ports

SERVER_LETTERS = "ABCD"  # the servers' names, in order
STOP_SECONDS = 2  # seconds for a browser to take the end of its answer
LARGEST_HEAD = 262_144  # bytes; waitress takes no more either
OWN = re.compile(rb"[A-Z]+ /__lab__/(?:exchange/([A-D])-)?")  # a panel's page, and whose
SAFE = (b"GET ", b"HEAD ")  # what may be asked twice: it changes nothing
Streams = tuple[StreamReader, StreamWriter]
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><p>{sentence}</p><p><a href="/">To the lab's first page</a></p></body></html>
"""


class LoadBalancer:
    """Listens at `port` from `start()` to `stop()`; `backends` are the servers' ports."""

    def __init__(self, port: int, backends: list[int]) -> None:
        self._port = port
        self._backends = backends
        self._turn = 0
        self._loop = asyncio.new_event_loop()
        self._under_way: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Listen, in a thread of its own. Raises OSError where the port is taken."""
        listen = asyncio.start_server(
            self._connected, ports.LOOPBACK, self._port, limit=LARGEST_HEAD, backlog=1024
        )
        self._server = self._loop.run_until_complete(listen)
        self._thread.start()

    def stop(self) -> None:
        """Break off what is under way, and listen no more."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        self._loop.run_forever()
        self._loop.run_until_complete(self._break_off())

    async def _break_off(self) -> None:
        self._server.close()
        under_way = asyncio.all_tasks() - {asyncio.current_task()}
        for task in under_way:
            task.cancel()
        if under_way:
            await asyncio.wait(under_way, timeout=STOP_SECONDS)
        await asyncio.sleep(0)  # what was closed is let go of at the loop's next turn

    def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        """A browser has come."""
        # Not a coroutine: of one that is broken off asyncio of Python 3.11 prints a traceback.
        task = self._loop.create_task(self._answer(reader, writer))
        self._under_way.add(task)  # the loop itself may forget it
        task.add_done_callback(self._under_way.discard)
        task.add_done_callback(lambda _: writer.close())  # also of one that has not begun

    async def _answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One request of one browser, from its first byte to the last one of the answer."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            await self._relay(with_headers(head, writer), reader, writer)
        except asyncio.LimitOverrunError:
            writer.write(page("431 Request Header Fields Too Large", "The request is too long."))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the browser has gone
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _relay(self, head: bytes, reader: StreamReader, writer: StreamWriter) -> None:
        for number in self._order(head):
            try:
                server = await asyncio.open_connection(ports.LOOPBACK, self._backends[number])
            except OSError:
                continue  # it has ended; the supervisor knows, and says so
            if await _exchange(head, (reader, writer), server):
                return
            if not head.startswith(SAFE):
                # Sent a second time, it might be done twice.
                sentence = (
                    f"Server {SERVER_LETTERS[number]} ended before it answered. Nobody can say "
                )
                sentence += "whether it still did what the form asked for: look before you repeat."
                writer.write(page("502 Bad Gateway", sentence))
                return
        writer.write(page("503 Service Unavailable", "No server answers. Try again in a moment."))

    def _order(self, head: bytes) -> Iterator[int]:
        """Which servers to ask, the first one first, the others in case it does not answer.

        A panel's page lies in the memory of one server, whose letter is in its address. With what a
        page brings along (styles, pictures) the turn does not move on: else a page with an even
        number of them would come from the same one of two servers each time.
        """
        count = len(self._backends)
        own = OWN.match(head)
        first = self._turn
        if own and own[1]:
            first = SERVER_LETTERS.index(own[1].decode())
        elif not own:
            self._turn = (self._turn + 1) % count
        yield from ((first + step) % count for step in range(count))


def with_headers(head: bytes, writer: StreamWriter) -> bytes:
    """The head of a request, for one request alone and in the name of the browser that sent it."""
    peer = writer.get_extra_info("peername")[0]
    lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    kept = [line for line in lines if not line.lower().startswith((b"connection:", b"keep-alive:"))]
    added = [b"Connection: close", b"Via: 1.1 labkit", f"X-Forwarded-For: {peer}".encode()]
    return b"\r\n".join([*kept, *added, b"", b""])


async def _exchange(head: bytes, browser: Streams, server: Streams) -> bool:
    """Relay one request and its answer; False where the server ended before it said anything."""
    sending = asyncio.create_task(_copy(browser[0], server[1]))
    try:
        server[1].write(head)
        return await _copy(server[0], browser[1]) > 0
    finally:
        server[1].transport.abort()  # it has said all, whether or not it has heard all
        sending.cancel()  # the browser may keep its side open for long
        await asyncio.wait([sending])


async def _copy(source: StreamReader, target: StreamWriter) -> int:
    """Copy until the source ends or either one breaks off; how many bytes came."""
    copied = 0
    try:
        while part := await source.read(65536):
            copied += len(part)
            target.write(part)
            await target.drain()
    except ConnectionError:
        pass
    return copied


def page(status: str, sentence: str) -> bytes:
    """An answer of the front's own."""
    body = PAGE.format(title=status.partition(" ")[2], sentence=sentence).encode()
    lines = [f"HTTP/1.1 {status}", "Content-Type: text/html; charset=utf-8", "Retry-After: 1"]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body
