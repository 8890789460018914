"""Group the log's exchanges into visits, and find the visit of a given browser."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest

from labkit.http.cookie_header import cookie_name, parse_cookies
from labkit.panel.exchange_log import Log
from labkit.panel.middleware import LONGEST_HOST, LONGEST_VALUE
from labkit.panel.models import ControlUse, Exchange


@dataclass(frozen=True)
class Visit:
    """The exchanges of one visitor that the log still has, oldest first."""

    visitor: str  # the name from Log.visitor(), such as "A2"; "" if the visit has no exchanges
    exchanges: list[Exchange] = field(default_factory=list)
    # Uses of the instructor's controls that affect this visit, oldest first. A moved clock and a
    # reset affect all visits.
    controls: list[ControlUse] = field(default_factory=list)
    # Exchanges of other visitors that changed this visit's sessions or cleared expired ones.
    others: list[Exchange] = field(default_factory=list)


class Browser(NamedTuple):
    """The parts of a request that distinguish one browser from another."""

    peer: str
    agent: str
    host: str
    cookie_header: str


def browser_of(request: HttpRequest) -> Browser:
    """Return the parts of a request that identify its browser, shortened as in the log."""
    meta = request.META
    return Browser(
        peer=meta.get("REMOTE_ADDR", ""),
        agent=meta.get("HTTP_USER_AGENT", "")[:LONGEST_VALUE],
        host=(meta.get("HTTP_HOST", "") or meta.get("SERVER_NAME", ""))[:LONGEST_HOST],
        cookie_header=meta.get("HTTP_COOKIE", ""),
    )


def visits(log: Log) -> list[Visit]:
    """Return the visits of all visitors; the visitor with the newest exchange comes first."""
    newest = log.newest()
    found: dict[str, list[Exchange]] = {}
    for exchange in newest:
        found.setdefault(log.visitor(exchange), []).append(exchange)
    return [_visit(log, visitor, own[::-1], newest) for visitor, own in found.items()]


def visit_of(log: Log, exchange: Exchange) -> Visit:
    """Return the visit that this exchange belongs to."""
    newest, visitor = log.newest(), log.visitor(exchange)
    own = [each for each in reversed(newest) if log.visitor(each) == visitor]
    return _visit(log, visitor, own, newest)


def _visit(log: Log, visitor: str, own: list[Exchange], newest: list[Exchange]) -> Visit:
    """Return a visit. own: its exchanges, oldest first; newest: all exchanges, newest first."""
    if not own:
        return Visit(visitor)
    since, browser, keys = own[0].monotonic, _parts(own[0]), session_keys(own)
    controls = [
        use
        for use in list(log.controls)
        if use.name == "reset"  # a reset empties the log, so every visit begins after it
        or (
            use.exchange.monotonic > since
            and (use.name == "clock" or _parts(use.exchange) == browser)
        )
    ]
    numbers = {each.number for each in own}
    others = [
        each
        for each in reversed(newest)
        if each.number not in numbers and each.monotonic >= since and _concerns(each, keys)
    ]
    return Visit(visitor, own, controls, others)


def session_keys(exchanges: Iterable[Exchange]) -> set[str]:
    """Return the keys of the sessions that these exchanges loaded, saved or deleted."""
    return {
        operation.key
        for each in exchanges
        for operation in each.operations
        if operation.key and operation.store_id == each.store_id
    }


def _concerns(exchange: Exchange, keys: set[str]) -> bool:
    """Return whether an exchange changed one of these sessions, or cleared expired ones."""
    return any(
        each.kind == "clear" or (each.kind != "load" and each.key in keys)
        for each in exchange.operations
    )


def own_visit(log: Log, browser: Browser) -> Visit:
    """Return the visit of a browser, with the exchanges that it has certainly sent itself.

    Behind a proxy, several students may have the same IP address and the same browser. Therefore an
    exchange belongs to this browser only if a secret cookie connects them: the session key or
    Django's CSRF token. An exchange with an earlier cookie also belongs to the browser if another
    exchange has both cookies.
    """
    candidates = [each for each in reversed(log.newest()) if _looks_like(each, browser)]
    connected: dict[tuple[str, str], list[Exchange]] = {}
    for exchange in candidates:
        for secret in _marks(exchange):
            connected.setdefault(secret, []).append(exchange)
    own: set[int] = set()
    ahead = list(_secrets(parse_cookies(browser.cookie_header)))
    while ahead:
        for exchange in connected.pop(ahead.pop(), []):
            if exchange.number not in own:
                own.add(exchange.number)
                ahead += _marks(exchange)
    exchanges = [each for each in candidates if each.number in own]
    return _visit(log, log.visitor(exchanges[0]) if exchanges else "", exchanges, log.newest())


def _looks_like(exchange: Exchange, browser: Browser) -> bool:
    return _parts(exchange) == browser[:3]


def _parts(exchange: Exchange) -> tuple[str, str, str]:
    return exchange.peer, exchange.agent, exchange.host


def _marks(exchange: Exchange) -> set[tuple[str, str]]:
    """Return the secret cookies that an exchange sent or set."""
    pairs = (line.partition(";")[0] for line in exchange.set_cookies)
    given = ((cookie_name(pair), pair.partition("=")[2].strip()) for pair in pairs)
    return _secrets([*exchange.sent_cookies(), *given])


def _secrets(cookies: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    names = {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
    return {(name, value) for name, value in cookies if name in names and value}
