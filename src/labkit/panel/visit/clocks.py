"""The two clocks of a visit: the browser's, which runs evenly, and the server's, which may jump."""

from collections.abc import Iterable
from typing import NamedTuple

SMALLEST_MOVE = 0.001  # seconds


class Point(NamedTuple):
    """A moment of the visit, on both clocks.

    While the server's clock jumps, the browser's clock stands still, so several points have the
    same `real`.
    """

    real: float  # POSIX seconds, by the browser's clock, which shows the real time
    ahead: float  # seconds by which the server's clock is ahead
    moves: int = 0  # how often the server's clock was moved before this point

    @property
    def server(self) -> float:
        """POSIX seconds, by the server's clock."""
        return self.real + self.ahead


class Move(NamedTuple):
    """A jump of the server's clock."""

    before: Point
    after: Point

    @property
    def seconds(self) -> float:
        """The distance of the jump; negative if the clock was moved back."""
        return self.after.ahead - self.before.ahead


class Clocks:
    """Both clocks of a visit, with all moves of the server's clock.

    moments: triples in chronological order, of the browser's time and the seconds by which the
    server's clock is ahead before and after this moment. If these two numbers differ, the clock is
    moved at this moment. A move between two moments is drawn at the later one.
    """

    def __init__(self, moments: Iterable[tuple[float, float, float]]) -> None:
        self.moves: list[Move] = []
        self.points: list[Point] = []  # the point of each moment, before any move at it
        latest = ahead_now = None
        for real, ahead, ahead_after in moments:
            real = max(real, real if latest is None else latest)  # noqa: PLW2901 time never goes back
            if ahead_now is not None:
                self._move(real, ahead_now, ahead)
            self.points.append(Point(real, ahead, len(self.moves)))
            self._move(real, ahead, ahead_after)
            latest, ahead_now = real, ahead_after

    def _move(self, real: float, before: float, after: float) -> None:
        if abs(after - before) >= SMALLEST_MOVE:
            count = len(self.moves)
            self.moves.append(Move(Point(real, before, count), Point(real, after, count + 1)))

    def ahead(self, moves: int) -> float:
        """Return the seconds by which the server's clock is ahead after this number of moves."""
        return self.moves[moves - 1].after.ahead if moves else self._first

    @property
    def _first(self) -> float:
        if self.moves:
            return self.moves[0].before.ahead
        return self.points[0].ahead if self.points else 0.0

    def order(self, point: Point) -> tuple[float, int, float]:
        """Return a key that sorts points in the order in which they happen."""
        return point.real, point.moves, abs(point.ahead - self.ahead(point.moves))

    def at_real(self, after: Point, real: float) -> Point:
        """Return the later of `after` and the point when the browser's clock shows this time."""
        moves = after.moves
        while moves < len(self.moves) and self.moves[moves].before.real < real:
            moves += 1
        if real <= after.real:
            return after
        return Point(real, self.ahead(moves), moves)

    def at_server(self, after: Point, server: float) -> Point:
        """Return the first point from `after` on at which the server's clock reaches this time.

        The point may be inside a jump, or after the end of the visit.
        """
        here = after
        for move in self.moves[after.moves :]:
            if server <= here.server:
                return here
            if server <= move.before.server:
                return Point(server - move.before.ahead, move.before.ahead, move.before.moves)
            if server <= move.after.server:
                return Point(move.before.real, server - move.before.real, move.before.moves)
            here = move.after
        return here if server <= here.server else Point(server - here.ahead, here.ahead, here.moves)

    def back_before(self, after: Point, server: float) -> Point | None:
        """Return the end of the first jump that moves the server's clock back to before this time.

        Jumps before the point `after` do not count. Return None if there is no such jump.
        """
        for move in self.moves[after.moves :]:
            if move.seconds < 0 and move.after.server < server:
                return move.after
        return None
