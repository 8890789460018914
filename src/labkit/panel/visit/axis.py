"""Lay the moments of a visit on a horizontal axis, which shortens long periods without events."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from labkit.panel.visit.clocks import Clocks, Move, Point

SHORTEST_FOLD = 20  # seconds; shorter periods are always drawn to scale
# The least width of a step, in the drawing's units: in a long visit, in a short one, of a shortened
# period, and of a part of a jump.
LEAST, LEAST_OF_FEW, LEAST_FOLD, LEAST_JUMP = 4.0, 22.0, 100.0, 50.0
FEW = 30  # steps in a short visit
LITTLE = 0.1  # the share of the spare room that a jump or a shortened period gets


@dataclass(frozen=True)
class Fold:
    """A period without events that is drawn shorter than its length."""

    left: float
    right: float
    seconds: float


@dataclass(frozen=True)
class Jump:
    """A jump of the server's clock, for which the axis has room although no time passes."""

    left: float
    right: float
    move: Move


class Axis:
    """The x coordinates of these points, from 0 to `width`."""

    def __init__(self, clocks: Clocks, points: Iterable[Point], width: float) -> None:
        self._clocks = clocks
        wanted = {point for move in clocks.moves for point in (move.before, move.after)}
        ordered = sorted(wanted.union(points), key=clocks.order)
        steps = list(pairwise(ordered))
        seconds = [after.real - before.real for before, after in steps if not _jumps(before, after)]
        gaps = [gap for gap in seconds if gap > 0]
        # A period is shortened if it is much longer than most.
        self._limit = max(SHORTEST_FOLD, 4 * median(gaps)) if gaps else SHORTEST_FOLD
        self._least_time = LEAST_OF_FEW if len(steps) <= FEW else LEAST
        least = [self._least(before, after) for before, after in steps]
        scale = min(1.0, width / (sum(least) or 1))
        weights = [self._weight(before, after) for before, after in steps]
        spare = (width - scale * sum(least)) / (sum(weights) or 1)
        self._x: dict[Point, float] = {ordered[0]: 0.0} if ordered else {}
        x = 0.0
        self.folds: list[Fold] = []
        for (before, after), narrowest, weight in zip(steps, least, weights, strict=True):
            left, x = x, x + scale * narrowest + spare * weight
            self._x[after] = x
            if self._is_folded(before, after):
                self.folds.append(Fold(left, x, after.real - before.real))
        self.jumps = [Jump(self.x(each.before), self.x(each.after), each) for each in clocks.moves]

    def x(self, point: Point) -> float:
        """Return the x coordinate of one of the points."""
        return self._x[point]

    def _is_folded(self, before: Point, after: Point) -> bool:
        return not _jumps(before, after) and after.real - before.real > 1.5 * self._limit

    def _least(self, before: Point, after: Point) -> float:
        if _jumps(before, after):
            return LEAST_JUMP
        return LEAST_FOLD if self._is_folded(before, after) else self._least_time

    def _weight(self, before: Point, after: Point) -> float:
        """Return a step's share of the room that is left, relative to that of other steps."""
        if _jumps(before, after):
            distance = abs(self._clocks.moves[before.moves].seconds)
            return LITTLE * self._limit * abs(after.ahead - before.ahead) / distance
        if self._is_folded(before, after):
            return LITTLE * self._limit
        return after.real - before.real


def _jumps(before: Point, after: Point) -> bool:
    """Return whether there is only a part of a jump between two neighbouring points."""
    return before.ahead != after.ahead
