"""Tells the instructor's own machine, which alone may see and control everything, from others."""

import re
from functools import lru_cache
from ipaddress import ip_address

from django.http import HttpRequest

HOSTS = {"127.0.0.1", "localhost", "[::1]"}
# Headers of a proxy that forwards a request. Waitress removes them by default.
PROXIES = {"HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP"}
MORE_PROXIES = "HTTP_X_FORWARDED"  # how the names of others begin


def is_local_instructor(request: HttpRequest) -> bool:
    """Return whether peer and Host are both loopback, with no proxy in between.

    Every summary bar depends on it, so it is quick.
    """
    meta = request.META
    if not _is_local(meta.get("HTTP_HOST", ""), meta.get("REMOTE_ADDR", "")):
        return False
    return PROXIES.isdisjoint(meta) and MORE_PROXIES not in "\n".join(meta)


@lru_cache(maxsize=1000)
def _is_local(host: str, peer: str) -> bool:
    host = re.sub(r":[0-9]+$", "", host.lower())
    # No name server answers for names below localhost: RFC 6761, section 6.3.
    return (host in HOSTS or host.endswith(".localhost")) and is_loopback(peer)


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
