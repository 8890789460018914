"""Cookies in plain words: whose one is, what its attributes mean, what a browser makes of it."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie

from django.conf import settings

from labkit.catalog import CatalogError, catalog
from labkit.http.cookie_date import parse_date
from labkit.http.jar import Jar
from labkit.http.origin import Origin
from labkit.http.set_cookie import CookieRefusal
from labkit.panel.log import Exchange, deletes, pairs
from labkit.stores import has_sessions
from labkit.text import duration, remaining


@dataclass(frozen=True)
class RequestCookie:
    """A cookie that came along with a request."""

    name: str
    value: str
    size: int  # bytes of name and value
    whose: str
    own: bool  # whether it is this lab's


@dataclass(frozen=True)
class Lifetime:
    """How long something still lives, for a bar that runs down. All in seconds."""

    whole: float
    left: float

    @property
    def gone(self) -> float:
        """What has run off since it was given."""
        return self.whole - self.left

    def __str__(self) -> str:
        return remaining(self.left, self.whole)


@dataclass(frozen=True)
class ResponseCookie:
    """A cookie that the answer sets or deletes."""

    name: str
    value: str
    size: int
    whose: str
    line: str  # the Set-Cookie header as it is sent
    words: list[tuple[str, str]]  # (attribute, what it means)
    refused: str  # why a browser does not keep it; empty where it does
    life: Lifetime | None  # None: until the browser closes, or deleted
    deletes: bool
    is_csrf: bool


def whose(name: str) -> tuple[str, bool]:
    """Whose cookie this is, in words, and whether it is this lab's own."""
    lab = str(settings.LAB)
    if name == settings.SESSION_COOKIE_NAME and has_sessions():
        return "this lab's session key", True
    if name == settings.CSRF_COOKIE_NAME:
        return "Django's, against forged forms", True
    # The first number counts: what comes after it may be a visitor's own words.
    number = re.search("_([0-9]{2})(?=_|$)", name)
    if (number and number[1] == lab) or (not number and re.search(f"_{lab}(?=_|$)", name)):
        return "this lab's own", True
    if number and number[1] in _labs():
        return f"lab {number[1]}'s: cookies ignore ports", False
    return "not this lab's", False


def _labs() -> list[str]:
    try:
        return [lab.number for lab in catalog().labs]
    except CatalogError:
        return []


def sent(exchange: Exchange) -> list[RequestCookie]:
    """The cookies of the request, this lab's first."""
    found = []
    for name, value in pairs(exchange.cookie_header):
        # WSGI shows the header's bytes as Latin-1.
        raw = f"{name}{value}".encode("latin-1", "replace")
        text = value.encode("latin-1", "replace").decode("utf-8", "replace")
        found.append(RequestCookie(name, text, len(raw), *whose(name)))
    return sorted(found, key=lambda cookie: not cookie.own)


def given(exchange: Exchange) -> list[ResponseCookie]:
    """The cookies of the answer."""
    return [_given(line, exchange) for line in exchange.set_cookies]


def _given(line: str, exchange: Exchange) -> ResponseCookie:
    pair, *attributes = line.split("; ")
    name, _, value = pair.partition("=")
    found = {a.partition("=")[0].lower(): a.partition("=")[2] for a in attributes}
    ends = deletes(line.partition(";")[2])
    whole = _lifetime(found, exchange.at)
    life = None
    if whole is not None and not ends:
        # The browser's clock goes on, however the server's has been moved.
        life = Lifetime(whole, max(0.0, whole - (time.monotonic() - exchange.ticked)))
    return ResponseCookie(
        name=name,
        value=value,
        size=len(f"{name}{value}".encode()),
        whose=whose(name)[0],
        line=line,
        words=list(_in_words(found, ends)),
        refused=_refusal(line, exchange),
        life=life,
        deletes=ends,
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


def _in_words(found: dict[str, str], ends: bool) -> Iterator[tuple[str, str]]:
    if ends:
        yield f"Max-Age={found['max-age']}", "it is over at once: the browser deletes the cookie"
    elif "max-age" in found:
        yield f"Max-Age={found['max-age']}", _duration(found["max-age"])
    elif "expires" in found:
        yield f"expires={found['expires']}", "the browser keeps it till then"
    else:
        yield "no Max-Age", "temporary: it goes when the browser closes"
    path = found.get("path", "")
    everywhere = "sent to every address of this host"
    yield (
        f"Path={path}" if path else "no Path",
        everywhere if path == "/" else "sent to addresses below this path alone",
    )
    if domain := found.get("domain"):
        yield f"Domain={domain}", "sent to this domain and all below it"
    else:
        yield "no Domain", "sent to this very host, on every port"
    if "httponly" in found:
        yield "HttpOnly", "no script sees it"
    else:
        yield "no HttpOnly", "scripts on the page can read and change it"
    if "secure" in found:
        yield "Secure", "sent over https alone, and to this machine itself"
    else:
        yield "no Secure", "sent over plain http as well"
    same_site = found.get("samesite", "")
    meaning = _SAME_SITE.get(same_site.lower(), "not a value that browsers know: as Lax")
    yield f"SameSite={same_site}" if same_site else "no SameSite", meaning


def _duration(seconds: str) -> str:
    """Return in words for how long a browser keeps a cookie with this Max-Age."""
    try:
        return f"the browser keeps it for {duration(int(seconds))}"
    except ValueError:
        return "not a number"


def _refusal(line: str, exchange: Exchange) -> str:
    """Why a browser does not keep this cookie; empty where it does."""
    host = exchange.host.rpartition(":")[0] or exchange.host
    path = exchange.path.partition("?")[0]
    try:
        Jar().store(line, Origin(exchange.scheme, host.strip("[]").lower(), path))
    except CookieRefusal as refused:
        return str(refused)
    return ""


def edited(name: str, value: str | None) -> SimpleCookie:
    """A Set-Cookie that changes one cookie of this lab by hand; None deletes it."""
    cookie: SimpleCookie = SimpleCookie()
    cookie[name] = value or ""
    cookie[name]["path"] = "/"
    cookie[name]["samesite"] = "Lax"
    cookie[name]["httponly"] = True
    if value is None:
        cookie[name]["max-age"] = 0
    return cookie
