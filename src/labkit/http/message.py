"""Build the bytes of an HTTP/1.1 request, and parse the bytes of a response.

Nothing is checked, escaped or added, so that a test can send any bytes.
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
    """Return a request as bytes. A header whose value is None is left out.

    Text is encoded as Latin-1, since WSGI decodes it so (PEP 3333). Raise UnicodeEncodeError if
    that is not possible.
    """
    lines = [b" ".join([method.encode(), _encode(target), b"HTTP/1.1"])]
    lines += [
        b": ".join([name.encode(), _encode(value)])
        for name, value in headers.items()
        if value is not None
    ]
    return b"\r\n".join([*lines, b"", b""]) + body


def parse_response(received: bytes, method: str = "GET") -> http.client.HTTPResponse:
    """Parse the bytes that a server sent on one connection; `read()` returns the body.

    Raise http.client.HTTPException if the head is incomplete or not HTTP. `read()` raises
    http.client.IncompleteRead if the body is shorter than announced.
    """
    if b"\r\n\r\n" not in received:
        raise http.client.HTTPException(f"the response ends too early: {received[:200]!r}")
    socket: Any = SimpleNamespace(makefile=lambda mode: io.BytesIO(received))  # for http.client
    response = http.client.HTTPResponse(socket, method=method)
    response.begin()
    return response


def _encode(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")
