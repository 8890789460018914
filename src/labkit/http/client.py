"""A small HTTP client with a browser's cookie jar, for sending many concurrent requests.

Each request opens a new connection, and each response records its size in bytes and its duration.
"""

import asyncio
import re
import time
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPException, IncompleteRead
from urllib.parse import urlencode

from labkit.http.cookie_header import from_wire, to_wire
from labkit.http.jar import Jar
from labkit.http.message import build_request, parse_response
from labkit.http.origin import Origin
from labkit.http.set_cookie import CookieRefusal

NO_HTTP_RESPONSE = "not an HTTP response"
TIMEOUT = 90  # seconds for one response


@dataclass(frozen=True)
class Response:
    """A response, with its size, the size of its request, and the duration of both."""

    status: int
    headers: Message
    body: str
    sent: int  # bytes
    received: int  # bytes
    seconds: float
    cookie: int  # size of the Cookie header's value in bytes


@dataclass
class BrowserClient:
    """A browser tab that sends requests to a port on this machine.

    The tabs of a browser share a `jar`. `token` is the CSRF token of the most recently opened form.
    """

    port: int
    host: str = "127.0.0.1"
    jar: Jar = field(default_factory=Jar)
    token: str = ""

    def tab(self) -> "BrowserClient":
        """Return another tab of this browser, with the same form open."""
        return BrowserClient(self.port, self.host, self.jar, self.token)

    async def request(
        self, method: str, path: str, fields: dict[str, str] | None = None
    ) -> Response:
        """Send one request; do not follow redirects.

        Raise OSError if no server is listening, TimeoutError after TIMEOUT seconds, and ValueError
        if the response is not valid HTTP, such as an empty one from a server that crashed.
        """
        target = Origin("http", self.host, path.partition("?")[0])
        cookies = to_wire(self.jar.header(target))
        body = urlencode(fields or {}).encode()
        headers: dict[str, str | bytes | None] = {
            "Host": f"{self.host}:{self.port}",
            "Connection": "close",
            "Cookie": cookies or None,
        }
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Content-Length"] = str(len(body))
        message = build_request(method, path.encode(), headers, body)
        begin = time.perf_counter()
        async with asyncio.timeout(TIMEOUT):
            received = await self._exchange(message)
        seconds = time.perf_counter() - begin
        try:
            response = parse_response(received, method)
        except HTTPException as error:
            raise ValueError(f"{NO_HTTP_RESPONSE}: {error}") from None
        try:
            page = response.read().decode(errors="replace")
        except IncompleteRead as error:  # the server crashed while it was sending the response
            page = error.partial.decode(errors="replace")
        for line in response.headers.get_all("Set-Cookie") or []:
            try:
                self.jar.store(from_wire(line), target)
            except CookieRefusal:
                continue  # a browser ignores such a cookie silently
        if found := re.search(r'csrfmiddlewaretoken" value="(\w+)"', page):
            self.token = found[1]
        return Response(
            response.status,
            response.headers,
            page,
            len(message),
            len(received),
            seconds,
            len(cookies),
        )

    async def _exchange(self, message: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(message)
            return await reader.read()
        finally:
            writer.close()

    async def get(self, path: str) -> Response:
        """Open a page, and remember the CSRF token of its form."""
        return await self.request("GET", path)

    async def post(self, path: str, fields: dict[str, str] | None = None) -> Response:
        """Send a form with the CSRF token of the most recently opened form."""
        return await self.request(
            "POST", path, {"csrfmiddlewaretoken": self.token, **(fields or {})}
        )
