"""Origins, sites and the causes of requests; matching of hosts and paths.

Section numbers are those of draft-ietf-httpbis-rfc6265bis.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Origin:
    """The scheme, host and path of a request's target, or of the page that caused the request.

    The host is normalized as in a browser's URL parser: lower case, punycode, an IPv4 address in
    four parts, an IPv6 address in its shortest form and without brackets. `of()` normalizes the
    host; the constructor does not. str() returns the URL.
    """

    scheme: str
    host: str
    path: str = "/"
    # Cookies ignore the port and the query, so comparisons do, too.
    port: str = field(default="", compare=False)  # "" for the scheme's own port
    query: str = field(default="", compare=False)  # with its question mark

    @classmethod
    def of(cls, url: str) -> "Origin":
        """Parse an absolute URL as browsers do (https://url.spec.whatwg.org/#url-parsing).

        Raise ValueError if the URL is invalid, or if its scheme is neither http nor https.
        """
        # This module is imported on first use, so that the labs start faster.
        from ada_url import URL

        try:
            parts = URL(url)
        except ValueError:
            raise ValueError(f"{url!r} is not an absolute URL") from None
        scheme = parts.protocol.removesuffix(":")
        if scheme not in {"http", "https"}:
            raise ValueError(f"{url!r} is not an absolute URL of http or https")
        return cls(scheme, parts.hostname.strip("[]"), parts.pathname, parts.port, parts.search)

    def __str__(self) -> str:
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{self.url_host}{port}{self.path}{self.query}"

    @property
    def url_host(self) -> str:
        """Return the host as it appears in a URL, with brackets around an IPv6 address."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def trustworthy(self) -> bool:
        """Return whether Secure cookies work at this origin: https or, in Chromium, loopback.

        https://w3c.github.io/webappsec-secure-contexts/#potentially-trustworthy-origin
        """
        return self.scheme == "https" or _is_this_machine(self.host)

    @property
    def site(self) -> tuple[str, str]:
        """Return (scheme, registrable domain). Two origins with equal results are same-site."""
        return self.scheme, registrable_domain(self.host)


@dataclass(frozen=True)
class Context:
    """The cause of a request, on which the effect of SameSite depends (section 5.2)."""

    method: str = "GET"
    initiator: Origin | None = None  # the page that caused the request; None if the URL was typed
    top_level: bool = True  # False for images, frames and fetch() in a page
    http_api: bool = True  # False for document.cookie

    def same_site(self, target: Origin) -> bool:
        """Return whether the target is same-site with the page that caused the request."""
        return self.initiator is None or self.initiator.site == target.site

    def partition(self, target: Origin) -> tuple[str, str]:
        """Return the site in the address bar, which is the partition of a Partitioned cookie.

        https://www.ietf.org/archive/id/draft-cutler-httpbis-partitioned-cookies-01.html
        """
        return target.site if self.top_level or self.initiator is None else self.initiator.site


TYPED = Context()
_NOT_IN_HOST = re.compile(r"[%/:?#@\\\s]")


def default_path(path: str) -> str:
    """Return a cookie's default Path: the request's path up to its last slash (section 5.1.4)."""
    return path[: path.rfind("/")] or "/" if path.startswith("/") else "/"


def path_match(path: str, cookie_path: str) -> bool:
    """Return whether a request for a path sends cookies with this Path (section 5.1.4)."""
    if not path.startswith(cookie_path):
        return False
    return path == cookie_path or cookie_path.endswith("/") or path[len(cookie_path)] == "/"


def domain_match(host: str, domain: str) -> bool:
    """Return whether a host belongs to a cookie's domain (section 5.1.3)."""
    return host == domain or (host.endswith("." + domain) and ip_address_of(host) is None)


def punycode(host: str) -> str:
    """Return a host name in ASCII, as browsers write it, or "" if it is not a valid host name."""
    try:
        return "" if _NOT_IN_HOST.search(host) else Origin.of(f"http://{host}/").host
    except ValueError:
        return ""


@cache
def ip_address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the host as an IP address, or None if the host is a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


@cache
def _is_this_machine(host: str) -> bool:
    name = host.removesuffix(".")
    address = ip_address_of(host)
    if address is None:
        return name == "localhost" or name.endswith(".localhost")
    return address.is_loopback


@cache
def registrable_domain(host: str) -> str:
    """Return the domain one label below the public suffix; return an IP address unchanged.

    A host with a trailing dot and the same host without the dot belong to different sites.
    """
    name = host.removesuffix(".")
    if ip_address_of(host) or "." not in name:
        return host
    domain = _suffixes().privatesuffix(name)
    return domain + host[len(name) :] if domain else host


@cache
def is_public_suffix(host: str) -> bool:
    """Return whether anyone can register names below this domain (https://publicsuffix.org)."""
    if ip_address_of(host):
        return False
    name = host.removesuffix(".")
    return "." not in name or _suffixes().publicsuffix(name) == name


@cache
def _suffixes() -> Any:
    # Imported on first use: the module reads 10,000 lines, and most tests never set a Domain.
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
