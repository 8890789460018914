"""Describes cookies: who owns one, what its attributes mean, and whether a browser keeps it."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Literal, NamedTuple

from django.conf import settings

from labkit.catalog import CatalogError, catalog
from labkit.http.cookie_date import parse_date
from labkit.http.cookie_header import is_deletion
from labkit.http.jar import Jar
from labkit.http.origin import Origin
from labkit.http.set_cookie import CookieRefusal
from labkit.panel.models import Exchange
from labkit.stores import has_sessions
from labkit.text import duration, remaining


class CookieOwner(NamedTuple):
    """The part of a project that a cookie belongs to. Pages carry `kind` as data-owner."""

    kind: Literal["session", "csrf", "lab", "other-lab", "unknown"]
    text: str

    @property
    def is_this_lab(self) -> bool:
        """True for a cookie of this lab."""
        return self.kind in {"session", "csrf", "lab"}


@dataclass(frozen=True)
class RequestCookie:
    """A cookie that the request sent."""

    name: str
    value: str
    size: int  # bytes of name and value
    owner: CookieOwner


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


class Attribute(NamedTuple):
    """An attribute of a Set-Cookie, or its absence."""

    name: str  # "Max-Age", "Path" …
    text: str  # "Path=/", "no Domain" …
    meaning: str


@dataclass(frozen=True)
class ResponseCookie:
    """A cookie that the response sets or deletes."""

    name: str
    value: str
    size: int  # bytes of name and value
    owner: CookieOwner
    line: str  # the Set-Cookie header field as sent
    attributes: list[Attribute]
    refusal: str  # why a browser does not keep it; empty if it does
    life: Lifetime | None  # None: until the browser closes, or deleted
    is_deletion: bool
    is_csrf: bool


def cookie_owner(name: str) -> CookieOwner:
    """Return the owner of the cookie with this name."""
    lab = str(settings.LAB)
    if name == settings.SESSION_COOKIE_NAME and has_sessions():
        return CookieOwner("session", "this lab's session key")
    if name == settings.CSRF_COOKIE_NAME:
        return CookieOwner("csrf", "Django's, against forged forms")
    # The first number counts: the text after it may be a visitor's input.
    number = re.search("_([0-9]{2})(?=_|$)", name)
    if (number and number[1] == lab) or (not number and re.search(f"_{lab}(?=_|$)", name)):
        return CookieOwner("lab", "this lab's own")
    if number and number[1] in _lab_numbers():
        return CookieOwner("other-lab", f"lab {number[1]}'s: cookies ignore ports")
    return CookieOwner("unknown", "not this lab's")


def _lab_numbers() -> list[str]:
    try:
        return [lab.number for lab in catalog().labs]
    except CatalogError:
        return []


def request_cookies(exchange: Exchange) -> list[RequestCookie]:
    """Return the cookies of the request, this lab's first."""
    found = []
    for name, value in exchange.sent_cookies():
        # WSGI shows the header's bytes as Latin-1.
        raw = f"{name}{value}".encode("latin-1", "replace")
        text = value.encode("latin-1", "replace").decode("utf-8", "replace")
        found.append(RequestCookie(name, text, len(raw), cookie_owner(name)))
    return sorted(found, key=lambda cookie: not cookie.owner.is_this_lab)


def response_cookies(exchange: Exchange) -> list[ResponseCookie]:
    """Return the cookies that the response sets or deletes."""
    return [_response_cookie(line, exchange) for line in exchange.set_cookies]


def _response_cookie(line: str, exchange: Exchange) -> ResponseCookie:
    pair, *attributes = line.split("; ")
    name, _, value = pair.partition("=")
    found = {a.partition("=")[0].lower(): a.partition("=")[2] for a in attributes}
    deletion = is_deletion(line)
    whole = _lifetime(found, exchange.at)
    life = None
    if whole is not None and not deletion:
        # The browser's clock goes on, however the server's has been moved.
        life = Lifetime(whole, max(0.0, whole - (time.monotonic() - exchange.monotonic)))
    return ResponseCookie(
        name=name,
        value=value,
        size=len(f"{name}{value}".encode()),
        owner=cookie_owner(name),
        line=line,
        attributes=list(_explain(found, deletion)),
        refusal=_refusal(line, exchange),
        life=life,
        is_deletion=deletion,
        is_csrf=name == settings.CSRF_COOKIE_NAME,
    )


def _lifetime(found: dict[str, str], at: float) -> float | None:
    if found.get("max-age", "").lstrip("-").isdigit():
        return float(found["max-age"])
    end = parse_date(found.get("expires", ""))
    return None if end is None else end - at


_SAME_SITE = {
    "lax": "from another site it comes along with a link, and with no form or picture",
    "strict": "from another site it does not come along at all",
    "none": "from another site it comes along too",
    "": "browsers treat it as Lax",
}


def _explain(found: dict[str, str], deletion: bool) -> Iterator[Attribute]:
    """Yield what each attribute, present or absent, means; `found`: {lower-case name: value}."""

    def attribute(name: str, present: str, absent: str) -> Attribute:
        if name.lower() not in found:
            return Attribute(name, f"no {name}", absent)
        value = found[name.lower()]
        return Attribute(name, f"{name}={value}" if value else name, present)

    if deletion:
        yield attribute("Max-Age", "it is over at once: the browser deletes the cookie", "")
    elif "max-age" not in found and "expires" in found:
        yield Attribute("Expires", f"expires={found['expires']}", "the browser keeps it till then")
    else:
        closing = "temporary: it goes when the browser closes"
        yield attribute("Max-Age", _max_age_meaning(found.get("max-age", "")), closing)
    below = "sent to addresses below this path alone"
    everywhere = "sent to every address of this host"
    yield attribute("Path", everywhere if found.get("path") == "/" else below, below)
    domain = "sent to this domain and all below it"
    yield attribute("Domain", domain, "sent to this very host, on every port")
    readable = "scripts on the page can read and change it"
    yield attribute("HttpOnly", "no script sees it", readable)
    encrypted = "sent over https alone, and to this machine itself"
    yield attribute("Secure", encrypted, "sent over plain http as well")
    same_site = found.get("samesite", "").lower()
    meaning = _SAME_SITE.get(same_site, "not a value that browsers know: as Lax")
    yield attribute("SameSite", meaning, _SAME_SITE[""])


def _max_age_meaning(seconds: str) -> str:
    try:
        return f"the browser keeps it for {duration(int(seconds))}"
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


def edited(name: str, value: str | None) -> SimpleCookie:
    """Return a Set-Cookie that changes one cookie of this lab by hand; None deletes it."""
    cookie: SimpleCookie = SimpleCookie()
    cookie[name] = value or ""
    cookie[name]["path"] = "/"
    cookie[name]["samesite"] = "Lax"
    cookie[name]["httponly"] = True
    if value is None:
        cookie[name]["max-age"] = 0
    return cookie
