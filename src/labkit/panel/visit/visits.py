"""Group the log's exchanges into visits, and find the visit of the browser that asks for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings

from labkit.http.cookie_header import cookie_name, parse_cookies
from labkit.panel.exchange_log import Log
from labkit.panel.models import Exchange


@dataclass(frozen=True)
class Visit:
    """The exchanges of one visitor that the log still has, oldest first."""

    visitor: str  # the name from Log.visitor(), such as "A2"; "" if the visit has no exchanges
    exchanges: list[Exchange]


class Browser(NamedTuple):
    """The parts of a request that distinguish one browser from another."""

    peer: str
    agent: str
    host: str
    cookie_header: str


def visits(log: Log) -> list[Visit]:
    """Return the visits of all visitors; the visitor with the newest exchange comes first."""
    found: dict[str, list[Exchange]] = {}
    for exchange in log.newest():
        found.setdefault(log.visitor(exchange), []).append(exchange)
    return [Visit(visitor, exchanges[::-1]) for visitor, exchanges in found.items()]


def visit_of(log: Log, exchange: Exchange) -> Visit:
    """Return the visit that this exchange belongs to."""
    visitor = log.visitor(exchange)
    return next((each for each in visits(log) if each.visitor == visitor), Visit(visitor, []))


def own_visit(log: Log, browser: Browser) -> Visit:
    """Return the exchanges that this browser must have sent itself.

    Behind a proxy, several students may have the same IP address and the same browser. Therefore an
    exchange belongs to this browser only if a secret cookie connects them: the session key or
    Django's CSRF token. The cookie may be an earlier one, if another exchange connects the two.
    """
    candidates = [each for each in log.newest() if _looks_like(each, browser)]
    known = _secrets(parse_cookies(browser.cookie_header))
    own: set[int] = set()
    while new := [
        each for each in candidates if each.number not in own and not known.isdisjoint(_marks(each))
    ]:
        own.update(each.number for each in new)
        known.update(*map(_marks, new))
    exchanges = [each for each in reversed(candidates) if each.number in own]
    return Visit(log.visitor(exchanges[0]) if exchanges else "", exchanges)


def _looks_like(exchange: Exchange, browser: Browser) -> bool:
    return (exchange.peer, exchange.agent, exchange.host) == browser[:3]


def _marks(exchange: Exchange) -> set[tuple[str, str]]:
    """Return the secret cookies that an exchange sent or set."""
    pairs = (line.partition(";")[0] for line in exchange.set_cookies)
    given = ((cookie_name(pair), pair.partition("=")[2].strip()) for pair in pairs)
    return _secrets([*exchange.sent_cookies(), *given])


def _secrets(cookies: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    names = {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
    return {(name, value) for name, value in cookies if name in names and value}
