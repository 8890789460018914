"""Cookie and Set-Cookie header fields, as a browser that keeps every cookie handles them.

It keeps what real browsers refuse, and ignores domains and paths: labkit.http.jar does not.
"""

from collections.abc import Iterator
from typing import Any


def parse_cookies(header: str) -> Iterator[tuple[str, str]]:
    """Yield the (name, value) pairs of a Cookie header field, undecoded.

    A pair without an equals sign is a value without a name (RFC 6265bis, section 5.6).
    """
    for part in header.split(";"):
        name, equals, value = part.strip().partition("=")
        if name or equals:
            yield (name, value) if equals else ("", name)


def cookie_name(set_cookie: str) -> str:
    """Return the name of the cookie that a Set-Cookie header field sets or deletes."""
    name, equals, _ = set_cookie.partition(";")[0].partition("=")
    return name.strip() if equals else ""


def to_wire(text: str) -> bytes:
    """Return the bytes of a header field as browsers send text: UTF-8.

    What from_wire() could not decode becomes the bytes that it was.
    """
    return text.encode("utf-8", "surrogateescape")


def from_wire(field: str) -> str:
    """Return a header field as browsers read it: as UTF-8.

    field: its bytes decoded as Latin-1, as WSGI does (PEP 3333). Other text, which no server can
    send, is returned as it is.
    """
    try:
        return field.encode("latin-1").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return field


def set_cookie_lines(response: Any) -> list[str]:
    """Return the Set-Cookie fields of a Django response, in the order in which a server sends them.

    They include one that was set as a header, not with set_cookie().
    """
    lines = [response.headers["Set-Cookie"]] if "Set-Cookie" in response.headers else []
    return lines + [morsel.OutputString() for morsel in response.cookies.values()]
