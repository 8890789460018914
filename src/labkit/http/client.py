"""A small HTTP client with a browser's cookie rules, for many requests at once on a real server.

Each request has its own connection, and each response says how many bytes and seconds it took.
"""

import asyncio
import re
import time
from dataclasses import dataclass, field
from email.message import Message
from http.client import parse_headers
from io import BytesIO
from urllib.parse import urlencode

from labkit.http.jar import Jar
from labkit.http.origin import Origin
from labkit.http.set_cookie import CookieRefusal

LIMIT = 90  # seconds for one answer


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers, body; bytes of the whole request and answer, seconds."""

    status: int
    headers: Message
    body: str
    sent: int
    received: int
    seconds: float
    cookie: int  # bytes of the Cookie header's value


@dataclass
class Client:
    """A tab of a browser on the server at this port. `jar` is shared by the tabs of one browser."""

    port: int
    host: str = "127.0.0.1"
    jar: Jar = field(default_factory=Jar)
    token: str = ""  # of the last form that it saw, for Django's CSRF check

    def tab(self) -> "Client":
        """Another tab of the same browser: the same cookies, and the form that this one saw."""
        return Client(self.port, self.host, self.jar, self.token)

    async def ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> Answer:
        """One request; redirects are not followed.

        Raises OSError where nobody answers, TimeoutError after LIMIT seconds, and ValueError where
        what comes back is not HTTP, such as nothing from a server that died.
        """
        target = Origin("http", self.host, path.partition("?")[0])
        cookies = self.jar.header(target)
        body = urlencode(fields or {}).encode()
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}:{self.port}", "Connection: close"]
        if cookies:
            lines.append(f"Cookie: {cookies}")
        if method == "POST":
            lines.append("Content-Type: application/x-www-form-urlencoded")
            lines.append(f"Content-Length: {len(body)}")
        message = "\r\n".join([*lines, "", ""]).encode() + body
        begin = time.perf_counter()
        async with asyncio.timeout(LIMIT):
            received = await self._exchange(message)
        seconds = time.perf_counter() - begin
        status_line, _, rest = received.partition(b"\r\n")
        parts = status_line.split()
        if len(parts) < 2 or not parts[0].startswith(b"HTTP/"):
            raise ValueError(f"that is not HTTP: {received[:80]!r}")
        stream = BytesIO(rest)
        headers = parse_headers(stream)
        for line in headers.get_all("Set-Cookie") or []:
            try:
                self.jar.store(line, target)
            except CookieRefusal:
                continue  # as a browser does: it says nothing and keeps nothing
        page = stream.read().decode(errors="replace")
        if found := re.search(r'csrfmiddlewaretoken" value="(\w+)"', page):
            self.token = found[1]
        return Answer(
            int(parts[1]), headers, page, len(message), len(received), seconds, len(cookies)
        )

    async def _exchange(self, message: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(message)
            return await reader.read()
        finally:
            writer.close()

    async def get(self, path: str) -> Answer:
        """Open a page; its form's token is remembered."""
        return await self.ask("GET", path)

    async def post(self, path: str, fields: dict[str, str] | None = None) -> Answer:
        """Send a form, with the token of the last form seen."""
        return await self.ask("POST", path, {"csrfmiddlewaretoken": self.token, **(fields or {})})
