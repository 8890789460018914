"""Describes cookies: who owns one, what its attributes mean, and whether a browser keeps it."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from django.conf import settings

from labkit.catalog import CatalogError, catalog
from labkit.http.cookie_header import is_deletion
from labkit.http.jar import Jar
from labkit.http.origin import Origin
from labkit.http.set_cookie import CookieRefusal, read_expiry
from labkit.panel.models import Exchange
from labkit.session_stores import has_sessions
from labkit.text_format import duration, remaining


class CookieOwner(NamedTuple):
    """The part of a project that a cookie belongs to. Pages carry `kind` as data-owner."""

    kind: Literal["session", "csrf", "lab", "other-lab", "unknown"]
    text: str

    @property
    def is_this_lab(self) -> bool:
        """True if this lab set the cookie."""
        return self.kind in {"session", "csrf", "lab"}


@dataclass(frozen=True)
class Lifetime:
    """How long something still lives, for a bar that runs down; in seconds."""

    whole: float
    left: float

    @property
    def elapsed(self) -> float:
        """The seconds since it was set."""
        return self.whole - self.left

    def __str__(self) -> str:
        return remaining(self.left, self.whole)


class ResponseCookie:
    """A cookie that a Set-Cookie header field of the response sets or deletes."""

    def __init__(self, line: str, exchange: Exchange) -> None:
        (name, value), *attributes = (part.partition("=")[::2] for part in line.split("; "))
        found = {attribute.lower(): text for attribute, text in attributes}
        self.line = line
        self.name = name
        self.size = len(f"{name}{value}".encode())  # bytes
        self.owner = cookie_owner(name)
        self.is_deletion = is_deletion(line)
        self.attributes = list(explain_attributes(found, self.is_deletion))
        self.refusal = _refusal(line, exchange)
        self.life: Lifetime | None = None  # None: until the browser closes, or deleted
        expiry = read_expiry(found, exchange.at)
        if expiry is not None and not self.is_deletion:
            # The browser's clock goes on, however the server's has been moved.
            whole = expiry - exchange.at
            self.life = Lifetime(whole, max(0.0, whole - (time.monotonic() - exchange.monotonic)))


def cookie_owner(name: str) -> CookieOwner:
    """Return the owner of the cookie with this name."""
    lab = str(settings.LAB)
    if name == settings.SESSION_COOKIE_NAME and has_sessions():
        return CookieOwner("session", "this lab's session key")
    if name == settings.CSRF_COOKIE_NAME:
        return CookieOwner("csrf", "Django's, against forged forms")
    # The first number counts: the text after it may be a visitor's input.
    number = re.search(f"_({re.escape(lab)}|[0-9]{{2}})(?=_|$)", name)
    if number and number[1] == lab:
        return CookieOwner("lab", "this lab's own")
    if number and number[1] in _lab_numbers():
        return CookieOwner("other-lab", f"lab {number[1]}'s: cookies ignore ports")
    return CookieOwner("unknown", "not this lab's")


def _lab_numbers() -> list[str]:
    try:
        return [lab.number for lab in catalog().labs]
    except CatalogError:
        return []


def request_cookies(exchange: Exchange) -> list[tuple[str, str, int, CookieOwner]]:
    """Return (name, value, bytes of both, owner) of the request's cookies, this lab's first."""
    found = []
    for name, value in exchange.sent_cookies():
        # WSGI shows the header's bytes as Latin-1.
        size = len(f"{name}{value}".encode("latin-1", "replace"))
        text = value.encode("latin-1", "replace").decode("utf-8", "replace")
        found.append((name, text, size, cookie_owner(name)))
    return sorted(found, key=lambda cookie: not cookie[-1].is_this_lab)


def response_cookies(exchange: Exchange) -> list[ResponseCookie]:
    """Return the cookies that the response sets or deletes."""
    return [ResponseCookie(line, exchange) for line in exchange.set_cookies]


_ABSENT = {  # attribute -> what its absence means
    "Max-Age": "temporary: it goes when the browser closes",
    "Path": "sent to addresses below this path alone",
    "Domain": "sent to this very host, on every port",
    "HttpOnly": "scripts on the page can read and change it",
    "Secure": "sent over plain http as well",
    "SameSite": "browsers treat it as Lax",
}
_PRESENT = {  # attribute, or attribute=value -> meaning
    "Path": "sent to addresses below this path alone",
    "Path=/": "sent to every address of this host",
    "Domain": "sent to this domain and all below it",
    "HttpOnly": "no script sees it",
    "Secure": "sent over https alone, and to this machine itself",
    "SameSite": "not a value that browsers know: as Lax",
    "SameSite=Lax": "from another site it comes along with a link, and with no form or picture",
    "SameSite=Strict": "from another site it does not come along at all",
    "SameSite=None": "from another site it comes along too",
}


def explain_attributes(found: dict[str, str], deletion: bool) -> Iterator[tuple[str, str, str]]:
    """Yield (name, text, meaning) of each attribute, such as ("Domain", "no Domain", …).

    `found`: {lower-case name: value}; `deletion`: whether the cookie is deleted.
    """
    for name, absent in _ABSENT.items():
        value = found.get(name.lower())
        if value is not None:
            text = f"{name}={value}" if value else name
            yield name, text, _present(name, value, deletion)
        elif name == "Max-Age" and "expires" in found:
            yield "Expires", f"expires={found['expires']}", "the browser keeps it till then"
        else:
            yield name, f"no {name}", absent


def _present(name: str, value: str, deletion: bool) -> str:
    if name != "Max-Age":
        return _PRESENT.get(f"{name}={value.title()}", _PRESENT[name])
    if deletion:
        return "it is over at once: the browser deletes the cookie"
    try:
        return f"the browser keeps it for {duration(int(value))}"
    except ValueError:
        return "not a number"


def _refusal(line: str, exchange: Exchange) -> str:
    """Return why a browser does not keep this cookie; empty if it does."""
    host = exchange.host.rpartition(":")[0] or exchange.host
    path = exchange.path.partition("?")[0]
    try:
        Jar().store(line, Origin(exchange.scheme, host.strip("[]").lower(), path))
    except CookieRefusal as refused:
        return str(refused)
    return ""
