"""Classes for the lives of cookies and stored sessions, as far as the server can know them."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from labkit.panel.visit.clocks import Clocks, Point


class Look(StrEnum):
    """How sure it is that a cookie or session exists. Pages contain it as a class."""

    KEPT = "kept"  # a request or a store operation has confirmed it
    PREDICTED = "predicted"  # nothing has confirmed it yet
    UNKNOWN = "unknown"  # it went away at some time during this piece
    EXPIRED = "expired"  # it has expired, but the row or file still exists


class Event(StrEnum):
    """An event in the life of a cookie or a stored session. Pages contain it as data-event."""

    FOUND = "found"  # it existed before the first request of the visit that the log still has
    SET = "set"
    RENEWED = "renewed"
    EXPIRED = "expired"  # and a later request or store operation has confirmed it
    PREDICTED = "predicted"  # it expires then, but nothing has confirmed it yet
    DELETED = "deleted"
    CLEARED = "cleared"  # the expired row was deleted
    NOT_DELETED = "not-deleted"  # the deletion had another Path
    NOT_SENT = "not-sent"  # a request did not send the cookie, although it had not expired
    REFUSED = "refused"
    GONE = "gone"  # the store does not have the session, although it had not expired
    REVIVED = "revived"  # the server's clock was moved back before the expiry


@dataclass(frozen=True)
class Piece:
    """A part of a bar, in which the cookie or session exists."""

    start: Point
    end: Point | None  # None if it is open: a session cookie ends with the browser
    look: Look


@dataclass(frozen=True)
class Mark:
    """Something that happens to the cookie or session of a bar."""

    point: Point
    event: Event
    text: str = ""  # further details


@dataclass
class Bar:
    """The life of one cookie, or of one session in the store."""

    place: Literal["browser", "store"]
    kind: str  # "cookie", "row", "entry" or "file"
    name: str  # of the cookie, or the session key
    pieces: list[Piece] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    predicted: Point | None = None  # the end that nothing has confirmed or contradicted yet
    is_open: bool = False  # whether it ends with the browser, or at an unknown time

    def mark(self, point: Point, event: Event, text: str = "") -> None:
        """Add a mark."""
        self.marks.append(Mark(point, event, text))

    def draw(self, start: Point, end: Point | None, look: Look) -> None:
        """Add a piece, unless it has no length."""
        if end is None or end != start:
            self.pieces.append(Piece(start, end, look))


def is_before(clocks: Clocks, first: Point, second: Point) -> bool:
    """Return whether the first point happens before the second."""
    return clocks.order(first) < clocks.order(second)
