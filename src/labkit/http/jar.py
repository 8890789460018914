"""A browser's cookie jar, after RFC 6265bis: what it stores, sends, holds back, expires and evicts.

Section numbers are those of draft-ietf-httpbis-rfc6265bis. Where Chromium departs from
it the jar does as Chromium does, and says so at that line.
"""

import ipaddress
import itertools
import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any
from urllib.parse import urlsplit

MAX_NAME_VALUE = 4096  # bytes of name and value together, section 5.6
MAX_ATTRIBUTE = 1024  # bytes of an attribute's value, section 5.6
MAX_AGE = 400 * 24 * 3600  # seconds, section 5.5
MAX_PER_SITE = 180  # cookies of one registrable domain, after which Chromium purges ...
KEPT_BY_PURGE = 150  # ... down to this many
ACCESS_STEP = 60  # seconds between two updates of a cookie's last access, in Chromium
LAX_POST_GRACE = 120  # seconds in which a new cookie without SameSite goes along with any POST

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class SameSite(StrEnum):
    """The SameSite attribute; DEFAULT where it is absent or unknown, which is treated as Lax."""

    STRICT = "Strict"
    LAX = "Lax"
    NONE = "None"
    DEFAULT = "Default"


@dataclass(frozen=True)
class Origin:
    """Where a request goes or comes from: scheme, host (lower case) and path."""

    scheme: str
    host: str
    path: str = "/"

    @classmethod
    def of(cls, url: str) -> "Origin":
        """Take apart an absolute URL. Raises ValueError where it has no scheme or host."""
        parts = urlsplit(url)
        if not parts.scheme or not parts.hostname:
            raise ValueError(f"{url!r} is not an absolute URL")
        return cls(parts.scheme.lower(), parts.hostname.lower(), parts.path or "/")

    @property
    def trustworthy(self) -> bool:
        """Whether Secure cookies work here: https, and in Chromium also plain http on this machine.

        https://w3c.github.io/webappsec-secure-contexts/#potentially-trustworthy-origin
        """
        if self.scheme == "https":
            return True
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        address = _address(self.host)
        return address is not None and address.is_loopback

    @property
    def site(self) -> tuple[str, str]:
        """Scheme and registrable domain: two origins with the same pair are same-site."""
        return self.scheme, registrable_domain(self.host)


@dataclass(frozen=True)
class Context:
    """How a request came about, which decides what SameSite lets through (section 5.2)."""

    method: str = "GET"
    initiator: Origin | None = None  # the page that caused it; None: a typed address
    top_level: bool = True  # a page of its own, not an image, frame or fetch within another page
    http_api: bool = True  # False for document.cookie

    def same_site(self, target: Origin) -> bool:
        """Whether the page that caused the request is of the same site as where it goes."""
        return self.initiator is None or self.initiator.site == target.site


TYPED = Context()


@dataclass
class Cookie:
    """One stored cookie (section 5.7)."""

    name: str
    value: str
    domain: str
    path: str
    host_only: bool
    secure: bool
    http_only: bool
    same_site: SameSite
    expires: float | None  # POSIX seconds; None: a session cookie, gone when the browser closes
    created: float  # POSIX seconds
    accessed: float  # POSIX seconds
    order: int = 0  # order of creation, for two cookies of the same second

    @property
    def key(self) -> tuple[str, str, bool, str]:
        """What makes two cookies the same one: a new Set-Cookie with this key replaces the old."""
        return self.name, self.domain, self.host_only, self.path

    @property
    def pair(self) -> str:
        """As it stands in a Cookie header."""
        return f"{self.name}={self.value}" if self.name else self.value

    def expired(self, now: float) -> bool:
        """Whether its time is over at `now`, POSIX seconds."""
        return self.expires is not None and self.expires <= now


@dataclass(frozen=True)
class HeldBack:
    """A stored cookie that a request does not carry, and why."""

    cookie: Cookie
    reason: str


class Refused(Exception):
    """The jar does not store this cookie; the message says why."""


@dataclass
class Jar:
    """The cookies of one browser. All times are POSIX seconds, read from time.time()."""

    blocked: bool = False  # the visitor's browser neither stores nor sends cookies
    _cookies: dict[tuple[str, str, bool, str], Cookie] = field(default_factory=dict)
    _count: Iterator[int] = field(default_factory=itertools.count)

    def __iter__(self) -> Iterator[Cookie]:
        """The cookies that are alive now, in order of creation."""
        self._drop_expired(time.time())
        return iter(sorted(self._cookies.values(), key=lambda c: c.order))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def get(self, name: str) -> Cookie | None:
        """The first living cookie of this name, whatever its path and domain."""
        return next((cookie for cookie in self if cookie.name == name), None)

    def clear(self) -> None:
        """Delete every cookie, as "Clear browsing data" does."""
        self._cookies.clear()

    def close_browser(self) -> None:
        """Close and reopen the browser: session cookies are gone, persistent ones stay."""
        self._cookies = {k: c for k, c in self._cookies.items() if c.expires is not None}

    def select(
        self, target: Origin, context: Context = TYPED
    ) -> tuple[list[Cookie], list[HeldBack]]:
        """What a request to `target` carries, in the header's order, and what it does not.

        Section 5.8.3. The cookies it carries count as accessed now.
        """
        sent, held_back = self._sort_out(target, context)
        if sent:
            now = time.time()
            for cookie in sent:
                if now - cookie.accessed >= ACCESS_STEP:
                    cookie.accessed = now
        return sent, held_back

    def header(self, target: Origin, context: Context = TYPED) -> str:
        """The Cookie header of such a request; empty where none is sent."""
        return "; ".join(cookie.pair for cookie in self.select(target, context)[0])

    def held_back(self, target: Origin, context: Context = TYPED) -> list[HeldBack]:
        """The cookies that such a request would not carry, each with its reason.

        One that has expired since it was last looked at is among them, for the last time.
        """
        return self._sort_out(target, context)[1]

    def _sort_out(self, target: Origin, context: Context) -> tuple[list[Cookie], list[HeldBack]]:
        if not self._cookies:
            return [], []
        now = time.time()
        sent, held_back = [], []
        for cookie in self._cookies.values():
            reason = _reason(cookie, target, context, now)
            if self.blocked:
                reason = "cookies are blocked"
            if reason:
                held_back.append(HeldBack(cookie, reason))
            else:
                sent.append(cookie)
        self._drop_expired(now)
        sent.sort(key=lambda c: (-len(c.path), c.order))
        return sent, held_back

    def store(self, set_cookie: str, source: Origin, context: Context = TYPED) -> Cookie | None:
        """Take in one Set-Cookie header from `source` (sections 5.6 and 5.7).

        Returns the cookie, or None where the header deleted one. Raises Refused where a browser
        would silently not store it.
        """
        if self.blocked:
            raise Refused("cookies are blocked")
        now = time.time()
        cookie = _parse(set_cookie, source, now)
        self._check(cookie, source, context)
        old = self._cookies.get(cookie.key)
        if old is not None and old.http_only and not context.http_api:
            raise Refused("an HttpOnly cookie cannot be replaced from a script")
        if old is not None and old.value == cookie.value:
            # Section 5.7 keeps the creation time in any case; Chromium only for the same value.
            cookie.created, cookie.order = old.created, old.order
        else:
            cookie.order = next(self._count)
        if cookie.expired(now):
            self._cookies.pop(cookie.key, None)
            return None
        self._cookies[cookie.key] = cookie
        self._evict(cookie, now)
        return cookie

    def _check(self, cookie: Cookie, source: Origin, context: Context) -> None:
        """The refusals of section 5.7 that depend on where the cookie comes from."""
        if cookie.secure and not source.trustworthy:
            raise Refused("Secure, but it came over plain http")
        if cookie.http_only and not context.http_api:
            raise Refused("HttpOnly, but a script set it")
        if not cookie.secure and not source.trustworthy:
            for other in self._cookies.values():
                if other.secure and other.name == cookie.name and _overlap(cookie, other):
                    raise Refused("it would hide a Secure cookie of the same name")
        crosses = not context.same_site(source) and not context.top_level
        if crosses and cookie.same_site is not SameSite.NONE:
            raise Refused(f"SameSite={cookie.same_site}, and the request came from another site")
        if cookie.same_site is SameSite.NONE and not cookie.secure:
            raise Refused("SameSite=None needs Secure")

    def _evict(self, newest: Cookie, now: float) -> None:
        """Chromium's limit for one site: past 180 purge to 150, Secure ones and fresh ones last."""
        if len(self._cookies) <= MAX_PER_SITE:
            return
        self._drop_expired(now)
        site = registrable_domain(newest.domain)
        members = [c for c in self._cookies.values() if registrable_domain(c.domain) == site]
        if len(members) > MAX_PER_SITE:
            members.sort(key=lambda c: (c.secure, c.accessed, c.order))
            for cookie in members[: len(members) - KEPT_BY_PURGE]:
                del self._cookies[cookie.key]

    def _drop_expired(self, now: float) -> None:
        for cookie in [c for c in self._cookies.values() if c.expired(now)]:
            del self._cookies[cookie.key]


def _reason(cookie: Cookie, target: Origin, context: Context, now: float) -> str:
    """Why a request does not carry this cookie (section 5.8.3); empty where it does."""
    if cookie.expired(now):
        return "it has expired"
    if cookie.host_only:
        if cookie.domain != target.host:
            return f"it belongs to the host {cookie.domain} alone"
    elif not _domain_match(target.host, cookie.domain):
        return f"it belongs to {cookie.domain}"
    if not _path_match(target.path, cookie.path):
        return f"its Path is {cookie.path}"
    if cookie.secure and not target.trustworthy:
        return "it is Secure and this is plain http"
    if cookie.http_only and not context.http_api:
        return "it is HttpOnly and a script asked"
    if cookie.same_site is SameSite.NONE or context.same_site(target):
        return ""
    if cookie.same_site is SameSite.STRICT:
        return "SameSite=Strict, and the request comes from another site"
    if not context.top_level:
        return f"SameSite={cookie.same_site}, and another site's page embeds this"
    if context.method in SAFE_METHODS:
        return ""
    if cookie.same_site is SameSite.DEFAULT and now - cookie.created < LAX_POST_GRACE:
        return ""  # Chromium's "Lax + POST", meant for single sign-on
    return f"SameSite={cookie.same_site}, and another site sent this {context.method}"


# Parsing, section 5.6

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def _parse(text: str, source: Origin, now: float) -> Cookie:
    if _CONTROL.search(text):
        raise Refused("it has a control character in it")
    pair, *rest = text.split(";")
    name, equals, value = pair.partition("=")
    if not equals:
        name, value = "", name
    name, value = name.strip(" \t"), value.strip(" \t")
    if "\t" in name + value:  # which section 5.6 would allow
        raise Refused("it has a tab in it, which Chromium does not take")
    if not name and not value:
        raise Refused("it has neither a name nor a value")
    if len(name.encode()) + len(value.encode()) > MAX_NAME_VALUE:
        raise Refused(f"name and value are longer than {MAX_NAME_VALUE} bytes together")
    attributes = _attributes(rest)
    domain, host_only = _domain(attributes.get("domain", ""), source)
    explicit_path = attributes.get("path", "")
    path = explicit_path if explicit_path.startswith("/") else default_path(source.path)
    secure = "secure" in attributes
    http_only = "httponly" in attributes
    at_root = host_only and explicit_path == "/"
    _check_prefix(name, value, secure=secure, http_only=http_only, host_at_root=at_root)
    return Cookie(
        name=name,
        value=value,
        domain=domain,
        path=path,
        host_only=host_only,
        secure=secure,
        http_only=http_only,
        same_site=_same_site(attributes.get("samesite", "")),
        expires=_expiry(attributes, now),
        created=now,
        accessed=now,
    )


def _attributes(parts: list[str]) -> dict[str, str]:
    """{lower-case name: value}; the last of a name wins.

    Section 5.6 leaves out an Expires or Max-Age that cannot be read, so that an earlier one of the
    name would count; in Chromium the last one counts all the same.
    """
    attributes: dict[str, str] = {}
    for part in parts:
        name, _, value = part.partition("=")
        name, value = name.strip(" \t").lower(), value.strip(" \t")
        if len(value.encode()) > MAX_ATTRIBUTE:
            continue
        attributes[name] = value
    return attributes


def _expiry(attributes: dict[str, str], now: float) -> float | None:
    """POSIX seconds, Max-Age before Expires, at most 400 days ahead; None for a session cookie."""
    max_age = attributes.get("max-age", "")
    if re.fullmatch(r"[-+]?[0-9]+", max_age):  # section 5.6.2 has no plus sign, Chromium takes it
        seconds = int(max_age)
        return now + min(seconds, MAX_AGE) if seconds > 0 else 0.0
    moment = parse_date(attributes.get("expires", ""))
    return None if moment is None else min(moment, now + MAX_AGE)


def _domain(attribute: str, source: Origin) -> tuple[str, bool]:
    """(domain, host-only) for a Domain attribute from this source."""
    wanted = attribute.removeprefix(".").lower()
    if not wanted:
        return source.host, True
    if not wanted.isascii():
        raise Refused("its Domain is not ASCII")
    if wanted == source.host and (_address(wanted) or _is_public_suffix(wanted)):
        return source.host, True
    if _is_public_suffix(wanted):
        raise Refused(f"Domain={wanted} is a public suffix, shared by strangers")
    if not _domain_match(source.host, wanted):
        raise Refused(f"Domain={wanted} is not the domain of {source.host}")
    return wanted, False


def _same_site(value: str) -> SameSite:
    known = {"strict": SameSite.STRICT, "lax": SameSite.LAX, "none": SameSite.NONE}
    return known.get(value.lower(), SameSite.DEFAULT)


# Longest first. The last two are of draft-ietf-httpbis-layered-cookies, and Chromium knows them.
_PREFIXES = ("__host-http-", "__host-", "__secure-", "__http-")


def _check_prefix(
    name: str, value: str, *, secure: bool, http_only: bool, host_at_root: bool
) -> None:
    """Section 5.4: a name that starts so is a promise which the attributes must keep."""
    lower = name.lower()
    prefix = next((p for p in _PREFIXES if lower.startswith(p)), "")
    if prefix and not secure:
        raise Refused(f"{prefix} needs Secure")
    if "host-" in prefix and not host_at_root:
        raise Refused(f"{prefix} needs Path=/ and no Domain")
    if "http-" in prefix and not http_only:
        raise Refused(f"{prefix} needs HttpOnly")
    if not name and value.lower().startswith(_PREFIXES):
        raise Refused("a nameless cookie may not pretend to have such a prefix")


# Dates, section 5.1.1

_DELIMITERS = re.compile(r"[\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
# Section 5.1.1 lets other signs follow the digits, and gives a year two to four of them; Chromium
# wants digits alone and takes any number of them for a year.
_TIME = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})", re.ASCII)
_DAY = re.compile(r"(\d{1,2})", re.ASCII)
_YEAR = re.compile(r"(\d+)", re.ASCII)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


def parse_date(text: str) -> float | None:
    """POSIX seconds of a cookie date, or None where it is none (section 5.1.1)."""
    clock = day = month = year = None
    for token in filter(None, _DELIMITERS.split(text)):
        if clock is None and (match := _TIME.fullmatch(token)):
            clock = tuple(map(int, match.groups()))
        elif day is None and (match := _DAY.fullmatch(token)):
            day = int(match[1])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS.index(token[:3].lower()) + 1
        elif year is None and (match := _YEAR.fullmatch(token)):
            year = int(match[1])
    if clock is None or day is None or month is None or year is None:
        return None
    if 70 <= year <= 99:
        year += 1900
    elif 0 <= year <= 69:
        year += 2000
    if year < 1601:  # section 5.1.1 gives up here, Chromium takes it for long ago
        return 0.0
    if year > 9999:
        return math.inf
    try:
        hour, minute, second = clock
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        return None


# Hosts and paths, sections 5.1.2 to 5.1.4


def default_path(path: str) -> str:
    """The Path of a cookie that names none: the request's path up to its last slash (5.1.4)."""
    return path[: path.rfind("/")] or "/" if path.startswith("/") else "/"


def _overlap(new: Cookie, old: Cookie) -> bool:
    """Whether some request would carry both of two cookies of one name (section 5.7, step 16)."""
    domains = _domain_match(new.domain, old.domain) or _domain_match(old.domain, new.domain)
    return domains and _path_match(new.path, old.path)


def _path_match(path: str, wanted: str) -> bool:
    """Section 5.1.4."""
    if not path.startswith(wanted):
        return False
    return path == wanted or wanted.endswith("/") or path[len(wanted)] == "/"


def _domain_match(host: str, domain: str) -> bool:
    """Section 5.1.3."""
    return host == domain or (host.endswith("." + domain) and _address(host) is None)


@cache
def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


@cache
def registrable_domain(host: str) -> str:
    """The site a host belongs to: one label below its public suffix; an address is its own site."""
    if _address(host) or "." not in host:
        return host
    return _suffixes().privatesuffix(host) or host


@cache
def _is_public_suffix(host: str) -> bool:
    if _address(host):
        return False
    return "." not in host or _suffixes().publicsuffix(host) == host


@cache
def _suffixes() -> Any:
    # Not at the top: it reads 10 000 lines, and most tests never ask for a Domain.
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
