"""Origins, sites and the cause of a request, and the matching of hosts and paths.

Section numbers are those of draft-ietf-httpbis-rfc6265bis.
"""

import ipaddress
import re
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Origin:
    """Scheme, host and path of a request's target or of the page that caused it.

    The host has the form that a browser gives it when it parses a URL: lower case, punycode, an
    IPv4 address in four parts, an IPv6 address in its shortest form and without brackets.
    `of()` parses a URL; the constructor does not.
    """

    scheme: str
    host: str
    path: str = "/"

    @classmethod
    def of(cls, url: str) -> "Origin":
        """Parse an absolute URL as browsers do (https://url.spec.whatwg.org/#url-parsing).

        Raise ValueError if it is not valid, or its scheme is not http or https.
        """
        from ada_url import URL  # a late import, so that the labs start faster

        try:
            parts = URL(url)
        except ValueError:
            raise ValueError(f"{url!r} is not an absolute URL") from None
        scheme = parts.protocol.removesuffix(":")
        if scheme not in {"http", "https"}:
            raise ValueError(f"{url!r} is not an absolute URL of http or https")
        return cls(scheme, parts.hostname.strip("[]"), parts.pathname)

    @property
    def url_host(self) -> str:
        """Return the host as written in a URL, with brackets around an IPv6 address."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def trustworthy(self) -> bool:
        """Return whether Secure cookies work here: on https, and in Chromium on loopback.

        https://w3c.github.io/webappsec-secure-contexts/#potentially-trustworthy-origin
        """
        if self.scheme == "https":
            return True
        name = self.host.removesuffix(".")
        if name == "localhost" or name.endswith(".localhost"):
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
    initiator: Origin | None = None  # the page that caused it; None for a typed URL
    top_level: bool = True  # False for an image, frame or fetch within a page
    http_api: bool = True  # False for document.cookie

    def same_site(self, target: Origin) -> bool:
        """Return whether the page that caused the request and its target are same-site."""
        return self.initiator is None or self.initiator.site == target.site

    def partition(self, target: Origin) -> tuple[str, str]:
        """Return the site in the address bar, to which a Partitioned cookie belongs.

        https://www.ietf.org/archive/id/draft-cutler-httpbis-partitioned-cookies-01.html
        """
        return target.site if self.top_level or self.initiator is None else self.initiator.site


TYPED = Context()
_NOT_IN_HOST = re.compile(r"[%/:?#@\\\s]")


def default_path(path: str) -> str:
    """Return the default Path of a cookie: the request's up to its last slash (5.1.4)."""
    return path[: path.rfind("/")] or "/" if path.startswith("/") else "/"


def path_match(path: str, cookie_path: str) -> bool:
    """Return whether a cookie with this Path is sent to a request's path (section 5.1.4)."""
    if not path.startswith(cookie_path):
        return False
    return path == cookie_path or cookie_path.endswith("/") or path[len(cookie_path)] == "/"


def domain_match(host: str, domain: str) -> bool:
    """Return whether a host belongs to a cookie's domain (section 5.1.3)."""
    return host == domain or (host.endswith("." + domain) and ip_address_of(host) is None)


def punycode(host: str) -> str:
    """Return a host name as browsers write it in ASCII; empty if it is not a host name."""
    try:
        return "" if _NOT_IN_HOST.search(host) else Origin.of(f"http://{host}/").host
    except ValueError:
        return ""


@cache
def ip_address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return this host as an IP address, or None if it is a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


@cache
def registrable_domain(host: str) -> str:
    """Return the domain one label below the public suffix; an IP address is its own site.

    A host with a trailing dot belongs to a different site than the host without it.
    """
    name = host.removesuffix(".")
    if ip_address_of(host) or "." not in name:
        return host
    domain = _suffixes().privatesuffix(name)
    return domain + host[len(name) :] if domain else host


@cache
def is_public_suffix(host: str) -> bool:
    """Return whether anyone can register below this domain (https://publicsuffix.org)."""
    if ip_address_of(host):
        return False
    name = host.removesuffix(".")
    return "." not in name or _suffixes().publicsuffix(name) == name


@cache
def _suffixes() -> Any:
    # A late import: it reads 10,000 lines, and most tests never use a Domain.
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
