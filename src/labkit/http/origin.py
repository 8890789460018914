"""Where a request goes and what caused it: origins, sites, and how hosts and paths match.

Section numbers are those of draft-ietf-httpbis-rfc6265bis.
"""

import ipaddress
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Origin:
    """Scheme, host (lower case) and path of a request's target or of the page that caused it."""

    scheme: str
    host: str
    path: str = "/"

    @classmethod
    def of(cls, url: str) -> "Origin":
        """Parse an absolute URL. Raise ValueError if it has no scheme or host."""
        parts = urlsplit(url)
        if not parts.scheme or not parts.hostname:
            raise ValueError(f"{url!r} is not an absolute URL")
        return cls(parts.scheme.lower(), parts.hostname.lower(), parts.path or "/")

    @property
    def trustworthy(self) -> bool:
        """Return whether Secure cookies work here: https, and in Chromium also http on loopback.

        https://w3c.github.io/webappsec-secure-contexts/#potentially-trustworthy-origin
        """
        if self.scheme == "https":
            return True
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        address = ip_address_of(self.host)
        return address is not None and address.is_loopback

    @property
    def site(self) -> tuple[str, str]:
        """Return (scheme, registrable domain); origins with the same pair are same-site."""
        return self.scheme, registrable_domain(self.host)


@dataclass(frozen=True)
class Context:
    """The cause of a request, on which SameSite depends (section 5.2)."""

    method: str = "GET"
    initiator: Origin | None = None  # the page that caused it; None: a typed URL
    top_level: bool = True  # a page, not an image, frame or fetch within another page
    http_api: bool = True  # False for document.cookie

    def same_site(self, target: Origin) -> bool:
        """Return whether the page that caused the request and its target are same-site."""
        return self.initiator is None or self.initiator.site == target.site


TYPED = Context()


def default_path(path: str) -> str:
    """Return the Path of a cookie without one: the request's path up to its last slash (5.1.4)."""
    return path[: path.rfind("/")] or "/" if path.startswith("/") else "/"


def path_match(path: str, cookie_path: str) -> bool:
    """Return whether a cookie with this Path is sent to a request's path (section 5.1.4)."""
    if not path.startswith(cookie_path):
        return False
    return path == cookie_path or cookie_path.endswith("/") or path[len(cookie_path)] == "/"


def domain_match(host: str, domain: str) -> bool:
    """Return whether a host belongs to a cookie's domain (section 5.1.3)."""
    return host == domain or (host.endswith("." + domain) and ip_address_of(host) is None)


@cache
def ip_address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the IP address that this host is, or None if it is a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


@cache
def registrable_domain(host: str) -> str:
    """Return the domain one label below the public suffix; an IP address is its own site."""
    if ip_address_of(host) or "." not in host:
        return host
    return _suffixes().privatesuffix(host) or host


@cache
def is_public_suffix(host: str) -> bool:
    """Return whether strangers share this domain, such as co.uk (https://publicsuffix.org)."""
    if ip_address_of(host):
        return False
    return "." not in host or _suffixes().publicsuffix(host) == host


@cache
def _suffixes() -> Any:
    # Imported late: it reads 10,000 lines, and most tests never use a Domain.
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
