"""Parse and write Cookie and Set-Cookie header fields, without applying a browser's rules.

For domains, paths and the reasons for refusing a cookie, see labkit.http.jar.
"""

from collections.abc import Iterator
from typing import Any


def parse_cookies(header: str) -> Iterator[tuple[str, str]]:
    """Yield the (name, value) pairs of a Cookie header field, without decoding them.

    Text without an equals sign is a value without a name (RFC 6265bis, section 5.6).
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
    """Return the bytes of a header field, encoded as UTF-8, as browsers do.

    Bytes that from_wire() could not decode are restored unchanged.
    """
    return text.encode("utf-8", "surrogateescape")


def from_wire(field: str) -> str:
    """Return the text of a header field, decoded as UTF-8, as browsers do.

    field: its bytes decoded as Latin-1, as WSGI does (PEP 3333). Text that no server
    can send is returned unchanged.
    """
    try:
        return field.encode("latin-1").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return field


def set_cookie_lines(response: Any) -> list[str]:
    """Return the Set-Cookie fields of a Django response in the order in which they are sent.

    Fields that were set as a header, rather than with set_cookie(), are included.
    """
    lines = [response.headers["Set-Cookie"]] if "Set-Cookie" in response.headers else []
    return lines + [morsel.OutputString() for morsel in response.cookies.values()]
