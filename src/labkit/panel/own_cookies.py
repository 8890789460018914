"""Find the cookies that a lab has set in a browser, and expire them.

A browser deletes a cookie only if the name, Domain and Path match (RFC 6265, section 5.3). Requests
send neither Domain nor Path, so both are taken from the log.
"""

from collections.abc import Iterable
from contextlib import suppress
from http.cookies import CookieError, Morsel
from typing import Any, NamedTuple

from django.http import HttpResponse
from django.utils.http import http_date

from labkit.http.cookie_header import from_wire
from labkit.http.set_cookie import Cookie, CookieRefusal, parse_set_cookie
from labkit.panel.access import is_loopback
from labkit.panel.cookie_explanations import request_origin
from labkit.panel.exchange_log import log


class OwnCookie(NamedTuple):
    """The identity of a cookie in the jar of one host, and whether it has Secure."""

    name: str
    path: str = "/"
    domain: str = ""  # "" if the cookie has no Domain
    secure: bool = False

    @classmethod
    def of_name(cls, name: str) -> "OwnCookie":
        """Return the cookie of this name with Path=/ and no Domain, like most cookies."""
        return cls(name, secure=name.lower().startswith(("__host-", "__secure-")))


def set_in_browser(agent: str) -> dict[str, list[OwnCookie]]:
    """Return the cookies that a browser on this machine was sent according to the log, by host.

    `agent`: the browser's User-Agent. Cookies that were also deleted are left out.
    """
    found: dict[str, dict[tuple[str, str, str], OwnCookie]] = {}
    for exchange in reversed(log.newest()):
        if exchange.agent != agent or not is_loopback(exchange.peer):
            continue
        source = request_origin(exchange)
        cookies = found.setdefault(source.host, {})
        for line in exchange.set_cookies:
            with suppress(CookieRefusal):
                cookie = parse_set_cookie(from_wire(line), source, exchange.at)
                own = _identify(cookie)
                cookies.pop(own[:3], None)
                if not cookie.expired(exchange.at):
                    cookies[own[:3]] = own
    return {host: list(cookies.values()) for host, cookies in found.items()}


def _identify(cookie: Cookie) -> OwnCookie:
    domain = "" if cookie.host_only else cookie.domain
    return OwnCookie(cookie.name, cookie.path, domain, cookie.secure)


def expire(response: HttpResponse, cookies: Iterable[OwnCookie]) -> int:
    """Make a response delete these cookies; return their number, without duplicates."""
    unique = {cookie[:3]: cookie for cookie in cookies}
    count = 0
    for key, cookie in unique.items():
        morsel: Morsel[Any] = Morsel()
        with suppress(CookieError):  # no lab can set a cookie with a name like this one
            morsel.set(cookie.name, "", "")
            morsel["path"], morsel["domain"] = cookie.path, cookie.domain
            morsel["max-age"], morsel["expires"] = 0, http_date(0)
            morsel["samesite"], morsel["secure"] = "Lax", cookie.secure
            # Django's set_cookie() could not delete two cookies with the same name.
            response.cookies[" ".join(key)] = morsel
            count += 1
    return count
