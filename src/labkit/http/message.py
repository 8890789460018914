"""Build the bytes of an HTTP/1.1 request, and parse the bytes of a response.

Requests are not checked, escaped or completed, so that a test can send any bytes.
"""

import http.client
import io
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any


def build_request(
    method: str,
    target: str | bytes,
    headers: Mapping[str, str | bytes | None],
    body: bytes = b"",
) -> bytes:
    """Return a request as bytes. Headers with the value None are omitted.

    Text is encoded as Latin-1, because WSGI decodes it as Latin-1 (PEP 3333). Raise
    UnicodeEncodeError if the text contains other characters.
    """
    lines = [b" ".join([method.encode(), _encode(target), b"HTTP/1.1"])]
    lines += [
        b": ".join([name.encode(), _encode(value)])
        for name, value in headers.items()
        if value is not None
    ]
    return b"\r\n".join([*lines, b"", b""]) + body


def parse_response(received: bytes, method: str = "GET") -> http.client.HTTPResponse:
    """Parse the bytes that a server sent on a connection. `read()` of the result returns the body.

    Raise http.client.HTTPException if the header section is incomplete or not HTTP. `read()` raises
    http.client.IncompleteRead if the body is shorter than Content-Length says.
    """
    if b"\r\n\r\n" not in received:
        raise http.client.HTTPException(f"the response ends too early: {received[:200]!r}")
    socket: Any = SimpleNamespace(makefile=lambda mode: io.BytesIO(received))  # for http.client
    response = http.client.HTTPResponse(socket, method=method)
    response.begin()
    return response


def _encode(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")
