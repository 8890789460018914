"""The promises that every response must keep; visitors check them."""

import re
from collections.abc import Iterable, Iterator

from django.http import HttpResponseBase

from labkit.http.set_cookie import MAX_NAME_VALUE

NAME = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
# RFC 6265, section 4.1.1: cookie-octets, optionally in double quotes; no semicolons in attributes.
OCTETS = r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*"
SET_COOKIE = re.compile(rf'{NAME}=("{OCTETS}"|{OCTETS})(; [\x20-\x3a\x3c-\x7e]+)*')
HEADER_NAME = re.compile(NAME)
HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # RFC 9110 section 5.5

SERVER_ERROR = "server error"
TRACEBACK = "traceback"
HEADER = "header that cannot be sent"
SET_COOKIE_GRAMMAR = "illegal Set-Cookie"
SET_COOKIE_SIZE = "Set-Cookie too large"
COOKIE_REFUSED = "cookie refused by the browser"

ALL = frozenset(
    {SERVER_ERROR, TRACEBACK, HEADER, SET_COOKIE_GRAMMAR, SET_COOKIE_SIZE, COOKIE_REFUSED}
)


class BrokenPromise(AssertionError):
    """A response broke a promise that every response must keep."""


def faults(response: HttpResponseBase, set_cookies: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield (promise, detail) for each promise that a response breaks, except COOKIE_REFUSED."""
    if response.status_code >= 500:
        yield SERVER_ERROR, f"status {response.status_code}"
    if not response.streaming and b"Traceback (most recent call last)" in response.content:
        yield TRACEBACK, "the page shows a traceback"
    for name, value in response.items():
        if not (HEADER_NAME.fullmatch(name) and HEADER_VALUE.fullmatch(value)):
            yield HEADER, f"{name}: {value!r}"
    for line in set_cookies:
        if not HEADER_VALUE.fullmatch(line):
            yield HEADER, f"Set-Cookie: {line!r}"
        elif not SET_COOKIE.fullmatch(line):
            yield SET_COOKIE_GRAMMAR, repr(line)
        size = len(line.partition(";")[0].encode()) - 1  # the = does not count
        if size > MAX_NAME_VALUE:
            yield SET_COOKIE_SIZE, f"name and value of {size} bytes: {line[:60]!r}..."
