"""Compute the coordinates of a visit's timeline for the SVG template."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from labkit.panel.exchange_words import request_line, time_of_day
from labkit.panel.models import Exchange
from labkit.panel.visit import words
from labkit.panel.visit.axis import Axis
from labkit.panel.visit.bars import Bar, Event, Look
from labkit.panel.visit.clocks import Point
from labkit.panel.visit.timeline import Timeline

# In units of the drawing's viewBox.
WIDTH, LEFT, RIGHT = 1200, 190, 210
TOP, REQUESTS, NAMES = 20, 46, 76  # y of clock jumps, of requests, and of their names
ROW, BAR = 26, 12  # the heights of a row and of its bar
CHARACTER, TICK = 6.6, 66  # the width of a character, and the least distance between times
MOST_NUMBERS = 45  # if there are more requests, they have no numbers and lines
MOST_BARS = 40  # the maximum number of bars in each lane
# The legend of the drawing: (name, whether it is a sign on a bar, meaning).
_KEY = [
    (Look.KEPT, False, "confirmed"),
    (Look.PREDICTED, False, "predicted"),
    (Look.UNKNOWN, False, "disappeared at an unknown time"),
    (Look.EXPIRED, False, "expired, but still in the store"),
    (Event.EXPIRED, True, "expired"),
    (Event.PREDICTED, True, "predicted expiry"),
    (Event.DELETED, True, "deleted"),
    (Event.CLEARED, True, "deleted"),
    (Event.NOT_SENT, True, "not sent by the browser"),
    (Event.NOT_DELETED, True, "not deleted"),
    (Event.REFUSED, True, "refused by browsers"),
    (Event.GONE, True, "no longer in the store"),
    (Event.REVIVED, True, "valid again"),
]
AT_REQUEST = {Event.SET, Event.RENEWED, Event.FOUND}  # events that are drawn as ticks, not as signs


@dataclass(frozen=True)
class Line:
    """A text at an x coordinate."""

    x: int
    text: str


@dataclass(frozen=True)
class Band:
    """A part of the axis that is not drawn to scale."""

    x: int
    width: int
    text: str

    @property
    def middle(self) -> int:
        """The x coordinate of the middle."""
        return self.x + self.width // 2


@dataclass(frozen=True)
class Request:
    """A request in the drawing."""

    x: int
    exchange: Exchange
    name: str  # its method and path, shortened to fit; may be empty
    status: str  # its status class, such as "4xx"


@dataclass(frozen=True)
class Shape:
    """A part of a bar."""

    x: int
    width: int
    name: str  # a bars.Look


@dataclass(frozen=True)
class Sign:
    """A sign on a bar, with a tooltip."""

    x: int
    name: str  # a bars.Event
    title: str


@dataclass(frozen=True)
class Key:
    """An entry of the legend below the drawing."""

    place: str
    name: str
    is_sign: bool
    text: str


@dataclass
class Row:
    """A row with one bar."""

    y: int
    label: str
    hint: str
    bar: Bar
    shapes: list[Shape] = field(default_factory=list)
    ticks: list[int] = field(default_factory=list)  # x of each time it was set, renewed or found
    signs: list[Sign] = field(default_factory=list)
    arrow: int | None = None  # x of the arrow for an open end, or None


@dataclass
class Lane:
    """The part of the drawing for the browser or the store: a line of times, then the bars."""

    place: str
    clock: str  # the name of its clock
    y: int
    times: list[Line]
    rows: list[Row]
    left_out: int  # the number of further bars


class Drawing:
    """The coordinates of everything in the drawing."""

    width, left, top, requests_y, names_y, bar_height = WIDTH, LEFT, TOP, REQUESTS, NAMES, BAR
    right = WIDTH - RIGHT

    def __init__(self, shown: Timeline) -> None:
        self._shown = shown
        self._axis = Axis(shown.clocks, _points(shown), WIDTH - LEFT - RIGHT)
        self.now = self._x(shown.now)
        self.jumps = [
            self._band(each.left, each.right, _signed(each.move.seconds))
            for each in self._axis.jumps
        ]
        self.folds = [
            self._band(each.left, each.right, words.short_distance(each.seconds))
            for each in self._axis.folds
        ]
        self.two_clocks = bool(shown.clocks.moves) or round(shown.now.ahead) != 0
        self.requests = list(self._requests())
        self.numbered = len(self.requests) <= MOST_NUMBERS
        self.resets = [self._x(point) for use, point in shown.controls if use.name not in {"clock"}]
        self.browser = self._lane("browser", NAMES + 30, shown.cookies)
        self.store = self._lane("store", self._below(self.browser), shown.records)
        self.height = self._below(self.store) - 16
        self.key = list(self._key())

    @staticmethod
    def _band(left: float, right: float, text: str) -> Band:
        return Band(LEFT + round(left), round(right - left), text)

    def _x(self, point: Point) -> int:
        return LEFT + round(self._axis.x(point))

    def _key(self) -> Iterator[Key]:
        """Yield a legend entry for each kind of sign in the drawing."""
        explained = set()
        for name, is_sign, text in _KEY:
            if text in explained:
                continue
            for lane in (self.browser, self.store):
                rows = [row.signs if is_sign else row.shapes for row in lane.rows]
                if any(name in {s.name for s in each} for each in rows):
                    yield Key(lane.place, name, is_sign, text)
                    explained.add(text)
                    break
        if self.folds:
            yield Key("fold", "fold", False, "a long period, drawn shorter")
        if self.jumps:
            yield Key("jump", "jump", False, "the server's clock was moved, but not the browser's")

    def _requests(self) -> Iterator[Request]:
        places = [self._x(point) for _, point in self._shown.requests]
        for (exchange, _), x, following in zip(
            self._shown.requests, places, [*places[1:], WIDTH - RIGHT], strict=True
        ):
            room = int((following - x) / CHARACTER)
            name = request_line(exchange)
            name = name if len(name) <= room else f"{name[: room - 1]}…" if room > 6 else ""
            yield Request(x, exchange, name, f"{exchange.status // 100}xx")

    def _lane(self, place: str, y: int, bars: Sequence[Bar]) -> Lane:
        """Return a lane that starts at y, with the newest bars if there are too many."""
        chosen = bars[-MOST_BARS:]
        rows = [self._row(y + 14 + ROW * number, bar) for number, bar in enumerate(chosen)]
        clock = "browser's clock" if place == "browser" else "server's clock"
        return Lane(place, clock, y, self._times(place), rows, len(bars) - len(chosen))

    @staticmethod
    def _below(lane: Lane) -> int:
        rows = max(1, len(lane.rows) + bool(lane.left_out))
        return lane.y + 14 + ROW * rows + 26

    def _times(self, place: str) -> list[Line]:
        """Return as many times of this lane's clock as fit."""
        found: list[Line] = []
        moved = [point for move in self._shown.clocks.moves for point in (move.before, move.after)]
        points = [point for _, point in self._shown.requests]
        wanted = [*(moved if place == "store" else []), self._shown.now, *points]
        for point in wanted:
            x = self._x(point)
            if all(abs(x - each.x) >= TICK for each in found):
                time = point.real if place == "browser" else point.server
                found.append(Line(x, time_of_day(time)))
        return found

    def _row(self, y: int, bar: Bar) -> Row:
        shown = self._shown
        row = Row(y, words.label(bar), words.hint(bar, shown), bar)
        for piece in bar.pieces:
            x = self._x(piece.start)
            end = WIDTH - RIGHT if piece.end is None else self._x(piece.end)
            last = row.shapes[-1] if row.shapes else None
            if last and last.name == piece.look == Look.KEPT and last.x + last.width == x:
                row.shapes[-1] = Shape(last.x, end - last.x, last.name)
            else:
                row.shapes.append(Shape(x, end - x, piece.look))
            if piece.end is None:
                row.arrow = end
        for mark in bar.marks:
            x = self._x(mark.point)
            if mark.event not in AT_REQUEST:
                title = words.describe_mark(bar, mark, shown)
                row.signs.append(Sign(x, mark.event, title))
            elif x not in row.ticks[-1:]:
                row.ticks.append(x)
        return row


def _signed(seconds: float) -> str:
    return f"{'+' if seconds > 0 else '−'}{words.distance(seconds)}"


def _points(shown: Timeline) -> Iterable[Point]:
    yield shown.now
    yield from (point for _, point in (*shown.requests, *shown.controls))
    for bar in (*shown.cookies, *shown.records):
        for piece in bar.pieces:
            yield from (point for point in (piece.start, piece.end) if point is not None)
        yield from (mark.point for mark in bar.marks)
