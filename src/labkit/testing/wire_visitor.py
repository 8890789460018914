"""A visitor of a real server, which sends exactly the bytes that a test gives it."""

import contextlib
import socket
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from django.http import HttpResponse

from labkit.http.message import build_request, parse_response
from labkit.http.origin import Origin
from labkit.testing.base_visitor import BaseVisitor

LIMIT = 30  # seconds for one exchange
MOST_REDIRECTS = 20  # as in Chromium


class WireVisitor(BaseVisitor):
    """A browser that opens a connection to a real server for each request.

    It has the methods of `Visitor` that a contract needs, and `send()` for any other request.
    """

    def __init__(self, port: int, host: str = "127.0.0.1", server: str = "") -> None:
        """`server` is the name of the server's program, such as "waitress", if it is known."""
        super().__init__(Origin("http", host))
        self.port = port
        self.server = server

    def new_visitor(self) -> "WireVisitor":
        """Return another visitor of this server, with an empty jar."""
        return type(self)(self.port, self.origin.host, self.server)

    def send(
        self,
        method: str,
        path: str | bytes,
        body: bytes = b"",
        headers: Mapping[str, str | bytes | None] | None = None,
    ) -> HttpResponse:
        """Send a request, unchecked, with these headers added; None leaves a usual one out.

        Raises OSError or http.client.HTTPException if the server closes the connection early, takes
        longer than LIMIT seconds or does not send HTTP, and BrokenPromise.
        """
        raw_path = path if isinstance(path, bytes) else path.encode("latin-1")
        headers = {name.title(): value for name, value in (headers or {}).items()}
        target = Origin("http", self.origin.host, raw_path.partition(b"?")[0].decode("latin-1"))
        own = headers.pop("Cookie", None)
        exchange = self._begin(method, target, own)
        exchange.address = f":{self.port}{raw_path.decode('latin-1')}"
        host = f"{self.origin.host}:{self.port}"
        usual: dict[str, str | bytes | None] = {"Host": host, "Connection": "close"}
        usual["Cookie"] = exchange.cookie_bytes or None
        if method == "POST":
            usual["Origin"] = self._came_from or f"http://{host}"
            usual["Content-Type"] = "application/x-www-form-urlencoded"
        if body or method in {"POST", "PUT", "PATCH"}:
            usual["Content-Length"] = str(len(body))
        message = build_request(method, raw_path, usual | headers, body)
        response, set_cookies = self._exchange(method, message)
        response.request = {"PATH_INFO": target.path}
        self._finish(exchange, response, set_cookies)
        return response

    def _exchange(self, method: str, message: bytes) -> tuple[HttpResponse, list[str]]:
        """Send a message and read until the server closes the connection, within LIMIT."""
        deadline = time.monotonic() + LIMIT
        with socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT) as connection:
            # A server may refuse a request before it has read it; its response can be read.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(message)
            received = b""
            with contextlib.suppress(ConnectionResetError):
                while part := connection.recv(65536):
                    received += part
                    connection.settimeout(max(0.001, deadline - time.monotonic()))
        parsed = parse_response(received, method)
        response = HttpResponse(parsed.read(), status=parsed.status)
        for name, value in parsed.getheaders():
            if name.lower() != "set-cookie":
                response.headers[name] = value
        return response, parsed.headers.get_all("Set-Cookie") or []

    # The methods of django.test.Client that a contract uses

    def get(self, path: str, data: Any = None, *, follow: bool = False, **kwargs: Any) -> Any:
        """GET, with `data` as its query."""
        return self._send("GET", f"{path}?{urlencode(data)}" if data else path, follow, **kwargs)

    def post(self, path: str, data: Any = None, *, follow: bool = False, **kwargs: Any) -> Any:
        """POST `data` as a form."""
        return self._send("POST", path, follow, urlencode(data or {}).encode(), **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name not in {"head", "options", "trace", "put", "patch", "delete"}:
            raise AttributeError(name)
        return lambda path: self._send(name.upper(), path, False)

    def _send(
        self,
        method: str,
        path: str,
        follow: bool,
        body: bytes = b"",
        headers: Mapping[str, str | bytes | None] | None = None,
    ) -> Any:
        response: Any = self.send(method, path, body, headers)
        chain: list[tuple[str, int]] = []
        while follow and response.status_code in {301, 302, 303}:
            parts = urlsplit(urljoin(path, response["Location"]))
            if parts.netloc not in {"", f"{self.origin.host}:{self.port}"}:
                raise AssertionError(f"{path} redirects to another server: {parts.geturl()}")
            if len(chain) >= MOST_REDIRECTS:
                raise AssertionError(f"{path} redirects and redirects: {chain}")
            path = f"{parts.path}?{parts.query}" if parts.query else parts.path
            chain.append((path, response.status_code))
            response = self.send("GET", path)
        response.redirect_chain = chain
        return response
