"""Trace the browser's cookies through a visit, from its requests and their responses.

The browser counts Max-Age by its own clock, so moving the server's clock does not affect it.
"""

from dataclasses import dataclass

from django.conf import settings

from labkit.http.cookie_header import from_wire
from labkit.http.origin import path_match
from labkit.http.set_cookie import Cookie, CookieKey
from labkit.panel.cookie_explanations import CookieEffect, ResponseCookie, cookie_owner
from labkit.panel.models import Exchange
from labkit.panel.visit.bars import Bar, Event, Look
from labkit.panel.visit.clocks import Clocks, Point

TOLERANCE = 2.0  # seconds; a browser counts Max-Age from the moment when it receives the response


@dataclass
class _Stay:
    """A cookie in the browser, from one Set-Cookie to the next."""

    bar: Bar
    name: str
    value: str
    path: str
    start: Point
    seen: Point  # the last request that sent the cookie, or the response that set it
    expires: float | None = None  # POSIX seconds, by the browser's clock
    is_found: bool = False  # whether no response set it, so its expiry is unknown
    received: float = 0.0  # time.monotonic() at the end of the response that set it
    gone: Point | None = None  # the first later request that did not send it


class CookieBars:
    """The bars of one browser's cookies. Other labs' cookies are left out."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks
        self._bars: dict[CookieKey, Bar] = {}
        self._stays: dict[int, _Stay] = {}  # by the bar's id()

    def add(self, exchange: Exchange, point: Point, *, sends: bool) -> None:
        """Add an exchange. sends: whether to read its Cookie header too."""
        if sends:
            self._sent(exchange, point)
        for line in exchange.set_cookies:
            self._set(ResponseCookie(line, exchange), exchange, point)

    def finish(self) -> list[Bar]:
        """Return the bars, in the order in which the cookies were first seen.

        Django's CSRF cookie, which most pages set, is the last one.
        """
        for stay in self._stays.values():
            self._close(stay)
        # A bar has no marks if a response only deleted a cookie that did not exist.
        bars = [bar for bar in self._bars.values() if bar.marks]
        return sorted(bars, key=lambda bar: bar.name == settings.CSRF_COOKIE_NAME)

    def _sent(self, exchange: Exchange, point: Point) -> None:
        path = exchange.path.partition("?")[0]
        sent = [(from_wire(name), from_wire(value)) for name, value in exchange.sent_cookies()]
        for stay in self._stays.values():
            if (stay.name, stay.value) in sent:
                sent.remove((stay.name, stay.value))
                self._see(stay, point)
            elif path_match(path, stay.path) and exchange.monotonic >= stay.received:
                stay.gone = stay.gone or point
        for name, value in sent:
            if cookie_owner(name).is_this_lab:
                self._find(name, value, point)

    def _see(self, stay: _Stay, point: Point) -> None:
        if stay.gone is not None:  # for example, the browser blocked cookies for a while
            gone, stay.gone = stay.gone, None
            self._draw_gone(stay, gone)
            stay.start = point
        if stay.expires is not None and point.real > stay.expires + TOLERANCE:
            stay.expires, stay.is_found = None, True  # the browser's clock seems to be different
        stay.seen = point

    def _find(self, name: str, value: str, point: Point) -> None:
        """Add a cookie that no response of this visit has set with this value."""
        bar = next((each for each in self._bars.values() if each.name == name), None)
        if bar is None:
            key = (name, "", True, "", None)
            bar = self._bars[key] = Bar("browser", "cookie", name)
        elif id(bar) in self._stays:
            stay = self._stays[id(bar)]
            stay.gone = stay.gone or point
            self._close(stay)
        bar.mark(point, Event.FOUND)
        self._stays[id(bar)] = _Stay(bar, name, value, "/", point, point, is_found=True)

    def _set(self, cookie: ResponseCookie, exchange: Exchange, point: Point) -> None:
        if cookie.effect is CookieEffect.REFUSED or cookie.parsed is None:
            key = (cookie.name, "", True, "", None)
            bar = self._bars.setdefault(key, Bar("browser", "cookie", cookie.name))
            bar.mark(point, Event.REFUSED, cookie.refusal)
            return
        parsed = cookie.parsed
        bar = self._bar_for(parsed)
        stay = self._stays.pop(id(bar), None)
        is_deletion = parsed.expired(exchange.at)
        if stay is not None:
            self._close(stay, point)
        if is_deletion:
            event = Event.DELETED if stay is not None and stay.gone is None else None
            if cookie.effect is CookieEffect.NOT_DELETED:
                event = Event.NOT_DELETED
            if event is not None:
                bar.mark(point, event)
            return
        expires = None if parsed.expires is None else point.real + parsed.expires - exchange.at
        renewed = stay is not None and stay.gone is None
        bar.mark(point, Event.RENEWED if renewed else Event.SET)
        received = exchange.monotonic + exchange.duration
        self._stays[id(bar)] = _Stay(
            bar, parsed.name, parsed.value, parsed.path, point, point, expires, False, received
        )

    def _bar_for(self, cookie: Cookie) -> Bar:
        unknown = (cookie.name, "", True, "", None)
        if unknown in self._bars and cookie.key not in self._bars:
            self._bars[cookie.key] = self._bars.pop(unknown)  # now its Path is known
        return self._bars.setdefault(cookie.key, Bar("browser", "cookie", cookie.name))

    def _close(self, stay: _Stay, stop: Point | None = None) -> None:
        """Draw a cookie's stay. stop: when a response replaced or deleted it, or None."""
        if stay.gone is not None:
            self._draw_gone(stay, stay.gone)
            return
        bar, end = stay.bar, self._end(stay)
        if end is not None and stop is not None and end.real <= stop.real:
            bar.draw(stay.start, end, Look.KEPT)  # it expired before a response set it again
            bar.mark(end, Event.EXPIRED)
        elif stop is not None:
            bar.draw(stay.start, stop, Look.KEPT)
        else:
            bar.draw(stay.start, stay.seen, Look.KEPT)
            bar.draw(stay.seen, end, Look.PREDICTED)
            bar.predicted, bar.is_open = end, end is None
            if end is not None:
                bar.mark(end, Event.PREDICTED)

    def _draw_gone(self, stay: _Stay, gone: Point) -> None:
        """Draw the stay of a cookie that a later request no longer sent."""
        bar, end = stay.bar, self._end(stay)
        if end is not None and gone.real >= end.real - TOLERANCE:
            bar.draw(stay.start, end, Look.KEPT)
            bar.mark(end, Event.EXPIRED)
        else:
            bar.draw(stay.start, stay.seen, Look.KEPT)
            bar.draw(stay.seen, gone, Look.UNKNOWN)
            bar.mark(gone, Event.NOT_SENT)

    def _end(self, stay: _Stay) -> Point | None:
        if stay.expires is None:
            return None
        return self._clocks.at_real(stay.start, stay.expires)
