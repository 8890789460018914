"""Parse a Set-Cookie header into a cookie, as RFC 6265bis, section 5.6, and Chromium do.

Section numbers are those of draft-ietf-httpbis-rfc6265bis.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from labkit.http.cookie_date import parse_date
from labkit.http.origin import Origin, default_path, domain_match, ip_address_of, is_public_suffix

MAX_NAME_VALUE = 4096  # bytes of name and value together, section 5.6
MAX_ATTRIBUTE = 1024  # bytes of an attribute's value, section 5.6
MAX_AGE = 400 * 24 * 3600  # seconds, section 5.5
OTHER_DOMAIN = "Domain={domain} is not the domain of {host}"


class SameSite(StrEnum):
    """The SameSite attribute; DEFAULT if it is absent or unknown, which is treated as Lax."""

    STRICT = "Strict"
    LAX = "Lax"
    NONE = "None"
    DEFAULT = "Default"


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
    expires: float | None  # POSIX seconds; None: a session cookie, deleted when the browser closes
    created: float  # POSIX seconds
    accessed: float  # POSIX seconds
    order: int = 0  # order of creation, for two cookies of the same second

    @property
    def key(self) -> tuple[str, str, bool, str]:
        """Return what identifies a cookie: a Set-Cookie with the same key replaces it."""
        return self.name, self.domain, self.host_only, self.path

    @property
    def pair(self) -> str:
        """Return the cookie as the Cookie header has it."""
        return f"{self.name}={self.value}" if self.name else self.value

    def expired(self, now: float) -> bool:
        """Return whether it has expired at `now`, POSIX seconds."""
        return self.expires is not None and self.expires <= now


class CookieRefusal(Exception):
    """The jar does not store this cookie; the message says why."""


_SAME_SITE = {member.lower(): member for member in SameSite}
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def parse_set_cookie(text: str, source: Origin, now: float) -> Cookie:
    """Parse a Set-Cookie value from `source`, received at `now`, POSIX seconds (section 5.6).

    Raise CookieRefusal if the value itself makes a browser ignore it.
    """
    if _CONTROL.search(text):
        raise CookieRefusal("it has a control character in it")
    pair, *rest = text.split(";")
    name, equals, value = pair.partition("=")
    if not equals:
        name, value = "", name
    name, value = name.strip(" \t"), value.strip(" \t")
    if "\t" in name + value:  # section 5.6 would allow it
        raise CookieRefusal("it has a tab in it, which Chromium does not take")
    if not name and not value:
        raise CookieRefusal("it has neither a name nor a value")
    if len(name.encode()) + len(value.encode()) > MAX_NAME_VALUE:
        raise CookieRefusal(f"name and value are longer than {MAX_NAME_VALUE} bytes together")
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
        same_site=_SAME_SITE.get(attributes.get("samesite", "").lower(), SameSite.DEFAULT),
        expires=read_expiry(attributes, now),
        created=now,
        accessed=now,
    )


def _attributes(parts: list[str]) -> dict[str, str]:
    """Return {lower-case name: value}; the last of several with the same name wins.

    Section 5.6 ignores an Expires or Max-Age that cannot be parsed, so an earlier one would
    count. In Chromium the last one counts nevertheless.
    """
    attributes: dict[str, str] = {}
    for part in parts:
        name, _, value = part.partition("=")
        name, value = name.strip(" \t").lower(), value.strip(" \t")
        if len(value.encode()) <= MAX_ATTRIBUTE:
            attributes[name] = value
    return attributes


def read_expiry(attributes: dict[str, str], now: float) -> float | None:
    """Return when it expires, POSIX seconds at most 400 days ahead, or None for a session cookie.

    Max-Age has precedence over Expires.
    """
    max_age = attributes.get("max-age", "")
    if re.fullmatch(r"[-+]?[0-9]+", max_age):  # section 5.6.2 allows no plus sign, Chromium does
        seconds = int(max_age)
        return now + min(seconds, MAX_AGE) if seconds > 0 else 0.0
    moment = parse_date(attributes.get("expires", ""))
    return None if moment is None else min(moment, now + MAX_AGE)


def _domain(attribute: str, source: Origin) -> tuple[str, bool]:
    """Return (domain, host-only) for a Domain attribute from this source."""
    wanted = attribute.removeprefix(".").lower()
    if not wanted:
        return source.host, True
    if not wanted.isascii():
        raise CookieRefusal("its Domain is not ASCII")
    if wanted == source.host and (ip_address_of(wanted) or is_public_suffix(wanted)):
        return source.host, True
    if is_public_suffix(wanted):
        raise CookieRefusal(f"Domain={wanted} is a public suffix, shared by strangers")
    if not domain_match(source.host, wanted):
        raise CookieRefusal(OTHER_DOMAIN.format(domain=wanted, host=source.host))
    return wanted, False


# Longest first. __Host-Http- and __Http- are from draft-ietf-httpbis-layered-cookies; Chromium
# implements them.
_PREFIXES = ("__host-http-", "__host-", "__secure-", "__http-")


def _check_prefix(
    name: str, value: str, *, secure: bool, http_only: bool, host_at_root: bool
) -> None:
    """Raise CookieRefusal if the attributes do not fulfil the name's prefix (section 5.4)."""
    lower = name.lower()
    prefix = next((p for p in _PREFIXES if lower.startswith(p)), "")
    if prefix and not secure:
        raise CookieRefusal(f"{prefix} needs Secure")
    if "host-" in prefix and not host_at_root:
        raise CookieRefusal(f"{prefix} needs Path=/ and no Domain")
    if "http-" in prefix and not http_only:
        raise CookieRefusal(f"{prefix} needs HttpOnly")
    if not name and value.lower().startswith(_PREFIXES):
        raise CookieRefusal("a nameless cookie may not pretend to have such a prefix")
