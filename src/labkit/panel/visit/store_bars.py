"""Trace a visit's sessions through the store, from the operations that the panel observed.

Rows and cache entries expire by the server's clock, so moving that clock can make them expire.
Redis has its own clock, which the panel cannot move.
"""

from dataclasses import dataclass

from labkit.panel.models import Exchange, StoreOperation
from labkit.panel.visit.bars import Bar, Event, Look, is_before
from labkit.panel.visit.clocks import Clocks, Point
from labkit.session_stores import Kind, cache_name, kinds

TOLERANCE = 2.0  # seconds
OUTLIVE = {"row", "file"}  # the kinds of record that remain in the store after they expire


@dataclass
class _Stay:
    """A session in the store, from one save to the next."""

    bar: Bar
    start: Point
    seen: Point  # the last operation that found or saved it
    expires: float | None  # POSIX seconds, by the server's clock
    expired: bool = False  # whether an operation has found that it had expired


class StoreBars:
    """The bars of a visit's sessions: one for each kind of record that contains a session."""

    def __init__(self, clocks: Clocks, engine: str, keys: set[str]) -> None:
        self._clocks = clocks
        self._kinds = [kind for kind in kinds(engine) if kind != "cookie"] if engine else []
        self._keys = keys
        self._bars: dict[tuple[str, Kind], Bar] = {}
        self._stays: dict[tuple[str, Kind], _Stay] = {}

    def add(self, exchange: Exchange, point: Point) -> None:
        """Add the operations of an exchange, which may be another visitor's."""
        for operation in exchange.operations:
            if operation.kind == "clear":
                self._clear(point)
            elif operation.key in self._keys and not operation.error:
                for kind in self._kinds:
                    self._add(operation, (operation.key or "", kind), point)

    def reset(self, point: Point) -> None:
        """End all bars, because the panel's reset deletes all records."""
        for key in list(self._stays):
            self._stop(key, point, Event.DELETED)

    def finish(self, now: Point) -> list[Bar]:
        """Return the bars, in the order in which the sessions were first used."""
        for stay in self._stays.values():
            self._close(stay, now, None)
        return list(self._bars.values())

    def _add(self, operation: StoreOperation, key: tuple[str, Kind], point: Point) -> None:
        stay = self._stays.get(key)
        if operation.kind in {"create", "save"}:
            if stay is not None:
                self._close(self._stays.pop(key), point, Event.RENEWED)
            self._start(key, point, operation.expires, Event.RENEWED if stay else Event.SET)
        elif operation.kind == "delete":
            self._stop(key, point, Event.DELETED)
        elif operation.found:
            if stay is None:
                self._start(key, point, None, Event.FOUND)
            else:
                self._see(stay, point)
        elif stay is not None:
            self._miss(key, stay, point)

    def _start(
        self, key: tuple[str, Kind], point: Point, expires: float | None, event: Event
    ) -> None:
        bar = self._bars.setdefault(key, Bar("store", key[1], key[0]))
        bar.mark(point, event)
        if key[1] == "entry" and expires is not None and cache_name() == "Redis":
            expires -= point.ahead  # Redis compares the expiry with its own clock
        self._stays[key] = _Stay(bar, point, point, expires)

    def _stop(self, key: tuple[str, Kind], point: Point, event: Event) -> None:
        if (stay := self._stays.pop(key, None)) is not None:
            self._close(stay, point, event)
            stay.bar.mark(point, event)

    def _see(self, stay: _Stay, point: Point) -> None:
        end = self._end(stay)
        late = end is not None and point.server > end.server + TOLERANCE
        if end is not None and late and is_before(self._clocks, end, point):
            stay.expires = None  # an unrecorded operation must have extended it
        stay.seen = point

    def _miss(self, key: tuple[str, Kind], stay: _Stay, point: Point) -> None:
        """Note that a load did not find the session."""
        end = self._end(stay)
        if end is None or is_before(self._clocks, point, end):
            self._stays.pop(key)
            stay.bar.draw(stay.start, stay.seen, Look.KEPT)
            stay.bar.draw(stay.seen, point, Look.UNKNOWN)
            stay.bar.mark(point, Event.GONE)
        else:
            stay.seen, stay.expired = point, True

    def _clear(self, point: Point) -> None:
        for key, stay in list(self._stays.items()):
            if key[1] == "row" and stay.expires is not None and stay.expires < point.server:
                self._stop(key, point, Event.CLEARED)

    def _end(self, stay: _Stay) -> Point | None:
        if stay.expires is None:
            return None
        if stay.bar.kind == "entry" and cache_name() == "Redis":
            return self._clocks.at_real(stay.start, stay.expires)
        return self._clocks.at_server(stay.start, stay.expires)

    def _close(self, stay: _Stay, stop: Point, event: Event | None) -> None:
        """Draw a session's stay. event: why it ended, or None if it has not ended."""
        bar, end = stay.bar, self._end(stay)
        if end is None:
            bar.draw(stay.start, stay.seen if event is None else stop, Look.KEPT)
            if event is None:
                bar.draw(stay.seen, None, Look.PREDICTED)
                bar.is_open = True
            return
        seen = stop if event else stay.seen
        start: Point | None = stay.start
        while start is not None:
            start = self._draw_until(bar, start, end, stop, seen, event)
            if start is not None:
                bar.mark(start, Event.REVIVED)
                end = self._clocks.at_server(start, stay.expires or 0)

    def _draw_until(
        self,
        bar: Bar,
        start: Point,
        end: Point,
        stop: Point,
        seen: Point,
        event: Event | None,
    ) -> Point | None:
        """Draw one period until the expiry, or until `stop`.

        Return the point after the expiry at which the server's clock moves back, or None.
        """
        clocks = self._clocks
        if event is not None and is_before(clocks, stop, end):
            bar.draw(start, stop, Look.KEPT)
            return None
        confirmed = max(start, min(seen, end, key=clocks.order), key=clocks.order)
        bar.draw(start, confirmed, Look.KEPT)
        bar.draw(confirmed, end, Look.PREDICTED)
        is_expired = not is_before(clocks, stop, end)
        is_confirmed = event is not None or (is_expired and not is_before(clocks, seen, end))
        bar.mark(end, Event.EXPIRED if is_confirmed else Event.PREDICTED)
        back = None
        if is_expired and bar.kind in OUTLIVE:
            back = clocks.back_before(end, end.server)
            if back is not None and is_before(clocks, stop, back):
                back = None
            bar.draw(end, back or stop, Look.EXPIRED)
        if back is None and not is_confirmed:
            bar.predicted = end
        return back
