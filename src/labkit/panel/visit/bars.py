"""Define the bars of a timeline, which show when each cookie or stored session existed."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from labkit.panel.visit.clocks import Clocks, Point


class Look(StrEnum):
    """How certain it is that a cookie or session existed. The page uses it as a CSS class."""

    KEPT = "kept"  # a request or a store operation has confirmed it
    PREDICTED = "predicted"  # nothing has confirmed it yet
    UNKNOWN = "unknown"  # it disappeared at an unknown moment in this piece
    EXPIRED = "expired"  # it has expired, but the row or file still exists


class Event(StrEnum):
    """An event in the life of a cookie or stored session. The page shows it in data-event."""

    FOUND = "found"  # it existed before the first request in the log
    SET = "set"
    RENEWED = "renewed"
    EXPIRED = "expired"  # a later request or store operation has confirmed the expiry
    PREDICTED = "predicted"  # the expected expiry, which nothing has confirmed yet
    DELETED = "deleted"
    CLEARED = "cleared"  # the expired row was deleted
    NOT_DELETED = "not-deleted"  # the deletion had a different Path
    NOT_SENT = "not-sent"  # a request did not send the cookie, although it had not expired
    REFUSED = "refused"
    GONE = "gone"  # the store no longer had the session, although it had not expired
    REVIVED = "revived"  # it is valid again, because the server's clock was moved back


@dataclass(frozen=True)
class Piece:
    """A part of a bar, for a period in which the cookie or session existed."""

    start: Point
    end: Point | None  # None if the end is open, as for a session cookie
    look: Look


@dataclass(frozen=True)
class Mark:
    """An event on a bar, and when it happened."""

    point: Point
    event: Event
    text: str = ""  # further details


@dataclass
class Bar:
    """The life of one cookie, or of one session in the store."""

    place: Literal["browser", "store"]
    kind: str  # "cookie", "row", "entry" or "file"
    name: str  # the cookie's name, or the session key
    pieces: list[Piece] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    predicted: Point | None = None  # the expected expiry, if nothing has confirmed it
    is_open: bool = False  # whether it has no expiry, or an unknown one

    def mark(self, point: Point, event: Event, text: str = "") -> None:
        """Add a mark."""
        self.marks.append(Mark(point, event, text))

    def draw(self, start: Point, end: Point | None, look: Look) -> None:
        """Add a piece, unless it would have no length."""
        if end is None or end != start:
            self.pieces.append(Piece(start, end, look))


def is_before(clocks: Clocks, first: Point, second: Point) -> bool:
    """Return whether the first point happens before the second."""
    return clocks.order(first) < clocks.order(second)
