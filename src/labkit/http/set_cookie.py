"""Parse Set-Cookie headers into cookies, according to RFC 6265bis (5.6) and Chromium.

Section numbers are those of draft-ietf-httpbis-rfc6265bis. Where versions of Chromium differ, this
module follows the newest one with which tests/http has been run: Chromium 156.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from labkit.http.cookie_date import parse_date
from labkit.http.cookie_header import cookie_name, to_wire
from labkit.http.cookie_rules import Rule
from labkit.http.origin import (
    TYPED,
    Context,
    Origin,
    default_path,
    domain_match,
    ip_address_of,
    is_public_suffix,
    punycode,
)

MAX_NAME_VALUE = 4096  # the maximum total size of a cookie's name and value, in bytes (section 5.6)
MAX_ATTRIBUTE = 1024  # the maximum size of an attribute's value, in bytes (section 5.6)
MAX_AGE = 400 * 24 * 3600  # seconds, section 5.5
OTHER_DOMAIN = "Domain={domain} is neither {host} nor a domain above it"


class SameSite(StrEnum):
    """The SameSite attribute. DEFAULT means absent or unknown, which browsers treat as Lax."""

    STRICT = "Strict"
    LAX = "Lax"
    NONE = "None"
    DEFAULT = "Default"


class Priority(StrEnum):
    """Chromium's Priority attribute, which decides which cookies of a site are evicted first.

    https://datatracker.ietf.org/doc/html/draft-west-cookie-priority-00
    """

    LOW = "Low"
    MEDIUM = "Medium"  # the default, which is also used for unknown values
    HIGH = "High"


CookieKey = tuple[str, str, bool, str, tuple[str, str] | None]


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
    expires: float | None  # POSIX seconds; None for a session cookie
    created: float  # POSIX seconds
    accessed: float  # POSIX seconds
    priority: Priority = Priority.MEDIUM
    # For Partitioned cookies: the site that Context.partition() returns.
    partition: tuple[str, str] | None = None
    order: int = 0  # order of creation, since several cookies may be created at the same time

    @property
    def key(self) -> CookieKey:
        """Return the cookie's identity. A new cookie with the same key replaces the old one."""
        return self.name, self.domain, self.host_only, self.path, self.partition

    @property
    def pair(self) -> str:
        """Return the cookie as it is sent in the Cookie header."""
        return f"{self.name}={self.value}" if self.name else self.value

    def expired(self, now: float) -> bool:
        """Return whether the cookie has expired at the time `now`, in POSIX seconds."""
        return self.expires is not None and self.expires <= now


class CookieRefusal(Exception):
    """Raised for a cookie that the jar does not store; the message says why."""

    def __init__(self, reason: str, rule: Rule) -> None:
        super().__init__(reason)
        self.rule = rule


_SAME_SITE = {member.lower(): member for member in SameSite}
_PRIORITY = {member.lower(): member for member in Priority}
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_INTEGER = re.compile(rf"[-+]?[0-9]{{1,{MAX_ATTRIBUTE}}}")
_WHITE_SPACE = " \t"
TAB = "{where} contains a tab, which Chromium refuses"


def parse_set_cookie(text: str, source: Origin, now: float, context: Context = TYPED) -> Cookie:
    """Parse a Set-Cookie value that `source` sent at `now`, in POSIX seconds (section 5.6).

    text: the value as decoded by from_wire(); bytes that are not UTF-8 are surrogate escapes (PEP
    383).

    Raise CookieRefusal if browsers ignore such a value, whatever cookies they have stored.
    """
    try:
        to_wire(text)
    except UnicodeEncodeError:
        raise CookieRefusal(
            "it contains a lone surrogate, which no server can send", Rule.ENCODING
        ) from None
    if _CONTROL.search(text):
        raise CookieRefusal("it contains a control character", Rule.CONTROL_CHARACTER)
    pair, *rest = text.split(";")
    name, equals, value = pair.partition("=")
    if not equals:
        name, value = "", name
    name, value = name.strip(_WHITE_SPACE), value.strip(_WHITE_SPACE)
    _check_pair(name, value)
    attributes = _attributes(rest)
    domain_text, path_text = attributes.get("domain", ""), attributes.get("path", "")
    domain, host_only = _domain(domain_text, source)
    secure = "secure" in attributes
    http_only = "httponly" in attributes
    # Domain may be equal to the host if the host is an IP address, but not if it is localhost.
    own_address = ip_address_of(source.host) is not None and domain_text == source.url_host
    faults = [] if path_text == "/" else ["needs Path=/"]
    if domain_text and not own_address:
        faults.append("does not allow Domain")
    _check_prefix(name, value, secure=secure, http_only=http_only, host_faults=faults)
    partitioned = "partitioned" in attributes
    if partitioned and not secure:
        raise CookieRefusal("Partitioned needs Secure", Rule.PARTITIONED_SECURE)
    return Cookie(
        name=name,
        value=value,
        domain=domain,
        path=path_text if path_text.startswith("/") else default_path(source.path),
        host_only=host_only,
        secure=secure,
        http_only=http_only,
        same_site=_SAME_SITE.get(attributes.get("samesite", "").lower(), SameSite.DEFAULT),
        expires=read_expiry(attributes, now),
        created=now,
        accessed=now,
        priority=_PRIORITY.get(attributes.get("priority", "").lower(), Priority.MEDIUM),
        partition=context.partition(source) if partitioned else None,
    )


def _check_pair(name: str, value: str) -> None:
    """Raise CookieRefusal if a browser refuses this name and value."""
    if "\t" in name + value:  # allowed by section 5.6
        where = "its name" if "\t" in name else "its value"
        raise CookieRefusal(TAB.format(where=where), Rule.TAB)
    if not name and not value:
        raise CookieRefusal("it has neither a name nor a value", Rule.EMPTY)
    if not name and "=" in value:  # section 5.6 allows this, and so did Chromium before version 153
        raise CookieRefusal(
            "a value without a name may not contain an equals sign", Rule.NAMELESS_EQUALS
        )
    size = len(to_wire(name + value))
    if size > MAX_NAME_VALUE:
        raise CookieRefusal(
            f"its name and value together have {size} bytes, and browsers allow {MAX_NAME_VALUE}",
            Rule.TOO_LONG,
        )


def _attributes(parts: list[str]) -> dict[str, str]:
    """Return {lower-case name: value}. If a name is repeated, the last attribute takes effect.

    If the last Expires or Max-Age cannot be parsed, an earlier one takes effect in section 5.6, but
    not in Chromium.

    Raise CookieRefusal for a tab within a name or value, which section 5.6 would allow.
    """
    attributes: dict[str, str] = {}
    for part in parts:
        name, _, value = part.partition("=")
        name, value = name.strip(_WHITE_SPACE).lower(), value.strip(_WHITE_SPACE)
        if "\t" in name + value:
            raise CookieRefusal(TAB.format(where="one of its attributes"), Rule.TAB)
        if len(to_wire(value)) <= MAX_ATTRIBUTE:
            attributes[name] = value
    return attributes


def read_expiry(attributes: dict[str, str], now: float) -> float | None:
    """Return a cookie's expiry in POSIX seconds, or None for a session cookie.

    The expiry is at most 400 days ahead. Max-Age takes precedence over Expires. Unlike Chromium,
    this function does not correct Expires by the difference between the response's Date header and
    the clock.
    """
    seconds = _max_age(attributes.get("max-age", ""))
    if seconds is not None:
        return now + min(seconds, MAX_AGE) if seconds > 0 else 0.0
    moment = parse_date(attributes.get("expires", ""))
    return None if moment is None else min(moment, now + MAX_AGE)


def _max_age(text: str) -> int | None:
    """Return Max-Age in seconds, or None if it is not a number.

    Section 5.6.2 allows neither a plus sign nor other characters after the digits. Chromium accepts
    a plus sign. If a number has more than 63 bits, it also ignores any characters after the number.
    """
    match = _INTEGER.match(text)
    if match is None:
        return None
    seconds = int(match[0])
    overflows = not -(2**63) < seconds < 2**63 - 1
    return seconds if overflows or match.end() == len(text) else None


def _domain(attribute: str, source: Origin) -> tuple[str, bool]:
    """Return (domain, host-only) for a Domain attribute that this source sent.

    Raise CookieRefusal if browsers do not allow the source to set cookies for that domain.
    """
    if source.host.endswith(".."):
        raise CookieRefusal(f"{source.host} is not a host name", Rule.NO_HOST_NAME)
    if not attribute:
        return source.host, True
    wanted = attribute.removeprefix(".").lower()
    if wanted == source.url_host and (ip_address_of(source.host) or is_public_suffix(wanted)):
        return source.host, True
    if wanted and is_public_suffix(wanted):
        raise CookieRefusal(
            f"Domain={wanted} is a public suffix, below which anyone can have a site",
            Rule.PUBLIC_SUFFIX,
        )
    if not wanted.isascii():  # section 5.6.3 would refuse it
        wanted = punycode(wanted)
    if not wanted or not domain_match(source.url_host, wanted):
        raise CookieRefusal(OTHER_DOMAIN.format(domain=wanted, host=source.host), Rule.OTHER_DOMAIN)
    return wanted, False


# The longest prefix is first. __Host-Http- and __Http- are from draft-ietf-httpbis-layered-cookies;
# Chromium implements them.
_PREFIXES = ("__host-http-", "__host-", "__secure-", "__http-")


def _check_prefix(
    name: str, value: str, *, secure: bool, http_only: bool, host_faults: list[str]
) -> None:
    """Raise CookieRefusal if the attributes do not match the name's prefix (section 5.4).

    host_faults: how Path and Domain break the rules of __Host-, such as ["needs Path=/"].
    """
    lower = name.lower()
    prefix = next((p for p in _PREFIXES if lower.startswith(p)), "")
    shown = prefix.title()  # browsers ignore the case
    if prefix and not secure:
        raise CookieRefusal(f"{shown} needs Secure", Rule.PREFIX_SECURE)
    if "host-" in prefix and host_faults:
        raise CookieRefusal(f"{shown} {' and '.join(host_faults)}", Rule.PREFIX_HOST)
    if "http-" in prefix and not http_only:
        raise CookieRefusal(f"{shown} needs HttpOnly", Rule.PREFIX_HTTP_ONLY)
    if not name and value.lower().startswith(_PREFIXES):
        raise CookieRefusal(
            "without a name, its value may not begin with a prefix", Rule.PREFIX_NAMELESS
        )


def read_attributes(set_cookie: str) -> dict[str, str]:
    """Return the attributes of a Set-Cookie field by lower-case name; {} if browsers refuse it."""
    try:
        return _attributes(set_cookie.split(";")[1:])
    except CookieRefusal:
        return {}


def is_deletion(set_cookie: str, now: float) -> bool:
    """Return whether a Set-Cookie field deletes its cookie at the time `now`, in POSIX seconds."""
    expiry = read_expiry(read_attributes(set_cookie), now)
    return expiry is not None and expiry <= now


def apply_set_cookies(
    cookies: dict[str, str], set_cookies: Iterable[str], now: float
) -> dict[str, str]:
    """Return the cookies, {name: value}, of a browser that received these Set-Cookie fields.

    Domains, paths and a browser's other rules are ignored.
    """
    result = dict(cookies)
    for line in set_cookies:
        name = cookie_name(line)
        if is_deletion(line, now):
            result.pop(name, None)
        else:
            result[name] = line.partition(";")[0].partition("=")[2].strip()
    return result
