"""Recognize the instructor's machine, the only one that may see and control everything."""

import re
from functools import lru_cache
from ipaddress import ip_address

from django.http import HttpRequest

HOSTS = {"127.0.0.1", "localhost", "[::1]"}
# Headers that a proxy adds to a request. Waitress removes them by default.
PROXIES = {"HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP"}
MORE_PROXIES = "HTTP_X_FORWARDED"  # the names of all other such headers start with this


def is_local_instructor(request: HttpRequest) -> bool:
    """Return whether the peer and the Host header are both loopback and there is no proxy.

    This function has to be fast, because every summary bar calls it.
    """
    meta = request.META
    if not _is_local(meta.get("HTTP_HOST", ""), meta.get("REMOTE_ADDR", "")):
        return False
    return PROXIES.isdisjoint(meta) and MORE_PROXIES not in "\n".join(meta)


@lru_cache(maxsize=1000)
def _is_local(host: str, peer: str) -> bool:
    return is_local_host(re.sub(r":[0-9]+$", "", host.lower())) and is_loopback(peer)


def is_local_host(host: str) -> bool:
    """Return whether a host name, in lower case, always stands for this machine.

    Names below localhost always stand for this machine: RFC 6761, section 6.3.
    """
    return host in HOSTS or host.endswith(".localhost")


def host_name(request: HttpRequest) -> str:
    """Return a request's host without its port. Raises DisallowedHost if it is not allowed.

    An IPv6 address is returned with its brackets.
    """
    return re.sub(r":[0-9]+$", "", request.get_host())


def is_loopback(address: str) -> bool:
    """Return whether this is a loopback address; False if it is not a valid address."""
    try:
        peer = ip_address(address)
    except ValueError:
        return False
    return (getattr(peer, "ipv4_mapped", None) or peer).is_loopback
