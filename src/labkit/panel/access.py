"""Tells the instructor's own machine, which alone may see and control everything, from others."""

import re
from ipaddress import ip_address

from django.http import HttpRequest

HOSTS = {"127.0.0.1", "localhost", "[::1]"}
# Headers of a proxy that forwards a request. Waitress removes them by default.
PROXIES = ["HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP"]


def is_local_instructor(request: HttpRequest) -> bool:
    """Return whether peer and Host are both loopback, with no proxy in between."""
    host = re.sub(r":[0-9]+$", "", request.META.get("HTTP_HOST", "").lower())
    # No name server answers for names below localhost: RFC 6761, section 6.3.
    if host not in HOSTS and not host.endswith(".localhost"):
        return False
    proxied = any(name in PROXIES or name.startswith("HTTP_X_FORWARDED") for name in request.META)
    return not proxied and is_loopback(request.META.get("REMOTE_ADDR", ""))


def host_name(request: HttpRequest) -> str:
    """Return the host of a request without its port. Raises DisallowedHost.

    The brackets of an IPv6 address stay.
    """
    return re.sub(r":[0-9]+$", "", request.get_host())


def is_loopback(address: str) -> bool:
    """Return whether a peer's address is this machine; False for a malformed one."""
    try:
        peer = ip_address(address)
    except ValueError:
        return False
    return (getattr(peer, "ipv4_mapped", None) or peer).is_loopback
