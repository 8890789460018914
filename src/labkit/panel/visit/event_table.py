"""List a timeline's events in order, for the table below the drawing."""

from collections.abc import Iterator
from dataclasses import dataclass

from labkit.panel.exchange_words import summarize
from labkit.panel.models import Exchange
from labkit.panel.visit import words
from labkit.panel.visit.bars import Event
from labkit.panel.visit.clocks import Point
from labkit.panel.visit.timeline import Timeline

OPEN = "open"  # instead of an Event, if a cookie or session has no expiry or an unknown one
IN_SUMMARY = {Event.SET, Event.RENEWED}  # events that the request's own summary mentions


@dataclass(frozen=True)
class Entry:
    """A row of the table."""

    point: Point
    kind: str  # "request", "control", "move", "browser" or "store"
    browser_time: str
    server_time: str
    text: str
    event: str = ""  # a bars.Event or OPEN, for "browser" and "store"
    number: int = 0  # the request's number, from 1; 0 for other events
    exchange: Exchange | None = None


def entries(shown: Timeline) -> list[Entry]:
    """Return all rows in the order in which they happen."""
    order = shown.clocks.order
    return sorted(_entries(shown), key=lambda entry: order(entry.point))


def _entries(shown: Timeline) -> Iterator[Entry]:
    def entry(point: Point, kind: str, text: str, **fields: object) -> Entry:
        times = (
            words.moment(point.real, shown.now.real),
            words.moment(point.server, shown.now.server),
        )
        return Entry(point, kind, *times, text, **fields)  # type: ignore[arg-type]

    for number, (exchange, point) in enumerate(shown.requests, 1):
        yield entry(point, "request", summarize(exchange), number=number, exchange=exchange)
    for use, point in shown.controls:
        if use.name in words.CONTROLS:
            yield entry(point, "control", words.CONTROLS[use.name])
    for move in shown.clocks.moves:
        yield entry(move.after, "move", words.describe_move(move.seconds))
    for bar in (*shown.cookies, *shown.records):
        for mark in bar.marks:
            if mark.event not in IN_SUMMARY:
                text = words.describe_mark(bar, mark, shown)
                yield entry(mark.point, bar.place, text, event=mark.event)
        if bar.is_open and bar.marks[-1].event is not Event.REFUSED:
            yield entry(shown.now, bar.place, words.describe_open_end(bar), event=OPEN)
