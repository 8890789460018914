"""Tell browsers apart by the cookies that they send, and keep track of each browser's cookies.

The log identifies a visitor by the IP address, the User-Agent and the host. All three are the same
for a private window, so only its cookies show that it is a separate browser.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from django.conf import settings

from labkit.http.cookie_header import from_wire
from labkit.http.origin import Origin, domain_match, path_match
from labkit.http.set_cookie import Cookie, CookieKey, CookieRefusal, parse_set_cookie
from labkit.panel.cookie_explanations import cookie_owner
from labkit.panel.models import Exchange


@dataclass
class Browser:
    """A browser, with the cookies that it should have."""

    visitor: tuple[str, ...]  # IP address, User-Agent and Host header
    cookies: dict[CookieKey, Cookie] = field(default_factory=dict)
    requests: int = 0
    returned: bool = False  # whether it has ever sent a cookie of this lab

    @property
    def host(self) -> str:
        """The host that the browser visits, without the port."""
        return host_of(self.visitor[2])

    def expected(self, exchange: Exchange) -> dict[str, str]:
        """Return the cookies that the browser should send with this request, {name: value}."""
        origin, now = origin_of(exchange), browser_time(exchange)
        return {
            cookie.name: cookie.value
            for cookie in self.cookies.values()
            if not cookie.expired(now)
            and path_match(origin.path, cookie.path)
            and domain_match(origin.host, cookie.domain)
        }

    def correct(self, exchange: Exchange) -> None:
        """Update the cookies to match those that this request sent."""
        sent, expected = sent_cookies(exchange, self), self.expected(exchange)
        self.requests += 1
        self.returned = self.returned or bool(sent)
        self.cookies = {
            key: cookie
            for key, cookie in self.cookies.items()
            if cookie.name in sent or cookie.name not in expected
        }
        for name, value in sent.items():
            known = [each for each in self.cookies.values() if each.name == name]
            for cookie in known:
                cookie.value = value
            if not known:
                self._store(f"{name}={value}; Path=/", exchange)

    def receive(self, exchange: Exchange) -> None:
        """Store the response's cookies."""
        for line in exchange.set_cookies:
            self._store(from_wire(line), exchange)

    def _store(self, line: str, exchange: Exchange) -> None:
        with suppress(CookieRefusal):
            now = browser_time(exchange)
            cookie = parse_set_cookie(line, origin_of(exchange), now)
            self.cookies.pop(cookie.key, None)
            if not cookie.expired(now):
                self.cookies[cookie.key] = cookie

    def kept(self, exchange: Exchange) -> dict[str, str]:
        """Return the lab's cookies, except the session cookie and Django's CSRF cookie."""
        hidden = {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
        now = browser_time(exchange)
        found = (each for each in self.cookies.values() if not each.expired(now))
        return {each.name: each.value for each in found if each.name not in hidden}


def host_of(host: str) -> str:
    """Return a Host header without its port."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host


def origin_of(exchange: Exchange) -> Origin:
    """Return the origin and path of a request's URL."""
    path = exchange.path.partition("?")[0]
    try:
        return Origin.of(f"{exchange.scheme}://{exchange.host}{path}")
    except ValueError:  # the Host header may be invalid
        return Origin(exchange.scheme, exchange.host.lower(), path)


def browser_time(exchange: Exchange) -> float:
    """Return the time of a request by the browser's clock, in POSIX seconds."""
    return exchange.at - exchange.clock_ahead


def sent_cookies(exchange: Exchange, browser: Browser) -> dict[str, str]:
    """Return the cookies that a request sent, {name: value}, without those of other projects."""
    known = {cookie.name for cookie in browser.cookies.values()}
    pairs = ((from_wire(name), from_wire(value)) for name, value in exchange.sent_cookies())
    return {n: value for n, value in pairs if n in known or cookie_owner(n).is_this_lab}


def group(exchanges: Sequence[Exchange]) -> dict[int, int]:
    """Return {number of an exchange: number of its browser}, with browsers numbered from 0."""
    browsers: list[Browser] = []
    found = {}
    for exchange in exchanges:
        visitor = (exchange.peer, exchange.agent, exchange.host)
        rivals = [each for each in browsers if each.visitor == visitor]
        browser = _sender(exchange, rivals)
        if browser is None:
            browser = Browser(visitor)
            browsers.append(browser)
        browser.correct(exchange)
        browser.receive(exchange)
        found[exchange.number] = browsers.index(browser)
    return found


def _sender(exchange: Exchange, rivals: Iterable[Browser]) -> Browser | None:
    """Return the browser that most probably sent this request, or None for a new one."""
    ranked = sorted(rivals, key=lambda browser: _distance(exchange, browser))
    if not ranked:
        return None
    if any(not differences(exchange, browser) for browser in ranked):
        return next(browser for browser in ranked if not differences(exchange, browser))
    if sent_cookies(exchange, ranked[0]):
        return ranked[0]
    # The request has no cookies: the browser blocks them or was closed, or this is a different
    # browser, such as a private window.
    for browser in ranked:
        if not browser.returned or not is_persistent(browser.expected(exchange), browser):
            return browser
    return None


def is_persistent(names: Iterable[str], browser: Browser) -> bool:
    """Return whether any of these cookies would survive closing the browser."""
    wanted = set(names)
    return any(c.expires is not None for c in browser.cookies.values() if c.name in wanted)


def differences(exchange: Exchange, browser: Browser) -> set[str]:
    """Return the names of cookies that are missing, unexpected, or have a different value."""
    sent, expected = sent_cookies(exchange, browser), browser.expected(exchange)
    return {name for name in sent | expected if sent.get(name) != expected.get(name)}


def _distance(exchange: Exchange, browser: Browser) -> tuple[bool, int, int]:
    """Return a sort key for the mismatch: wrong CSRF cookie, missing cookies, all differences."""
    sent, expected = sent_cookies(exchange, browser), browser.expected(exchange)
    csrf = settings.CSRF_COOKIE_NAME
    wrong_csrf = bool(sent) and sent.get(csrf) != expected.get(csrf)
    missing = len(expected.keys() - sent.keys())
    return wrong_csrf, missing, len(differences(exchange, browser))
