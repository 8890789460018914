"""Place the moments of a visit on a horizontal axis that shortens long periods without events."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from labkit.panel.visit.clocks import Clocks, Move, Point

SHORTEST_FOLD = 20  # seconds; shorter periods are always drawn to scale
# The minimum width of a step, in units of the drawing: in a long visit, in a short visit, for a
# shortened period, and for each part of a clock jump.
LEAST, LEAST_OF_FEW, LEAST_FOLD, LEAST_JUMP = 4.0, 22.0, 100.0, 50.0
FEW = 30  # the maximum number of steps in a short visit
LITTLE = 0.1  # the weight of a jump or a shortened period, as a fraction of Axis._limit


@dataclass(frozen=True)
class Fold:
    """A period without events that is drawn shorter than its length."""

    left: float
    right: float
    seconds: float


@dataclass(frozen=True)
class Jump:
    """A jump of the server's clock. It has a width on the axis, although no real time passes."""

    left: float
    right: float
    move: Move


class Axis:
    """A horizontal axis that gives each point an x coordinate from 0 to `width`."""

    def __init__(self, clocks: Clocks, points: Iterable[Point], width: float) -> None:
        self._clocks = clocks
        wanted = {point for move in clocks.moves for point in (move.before, move.after)}
        ordered = sorted(wanted.union(points), key=clocks.order)
        steps = list(pairwise(ordered))
        seconds = [after.real - before.real for before, after in steps if not _jumps(before, after)]
        gaps = [gap for gap in seconds if gap > 0]
        # A period is shortened if it is much longer than most periods.
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
        """Return a step's weight. The spare width is distributed in proportion to the weights."""
        if _jumps(before, after):
            distance = abs(self._clocks.moves[before.moves].seconds)
            return LITTLE * self._limit * abs(after.ahead - before.ahead) / distance
        if self._is_folded(before, after):
            return LITTLE * self._limit
        return after.real - before.real


def _jumps(before: Point, after: Point) -> bool:
    """Return whether the step between two neighbouring points is part of a clock jump."""
    return before.ahead != after.ahead
