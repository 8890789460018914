"""Place the labels of a chart's lines at the ends of the lines, without overlap."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

Point = tuple[float, float]  # (x, y) in inches from the lower left corner of the plot
NEAR = 0.12  # inches between the end of a line and its label


@dataclass(frozen=True)
class Label:
    """A label at the end of a chart's line: its text and its position."""

    lines: list[str]
    colour: str
    points: list[Point]  # of the line
    x: float = 0  # the left edge of the text
    y: float = 0  # its middle
    # Where a thin line from the chart's line to the label starts, if the label needs one.
    from_x: float | None = None
    from_y: float = 0


def end_labels(labels: list[Label], plot: Point, letter: Point) -> Iterator[Label]:
    """Yield the labels with their positions.

    plot: the plot's width and height in inches. letter: the width and height of a letter.
    If a line ends at the right edge, its label is beside the plot, otherwise inside it.
    """
    beside = [label for label in labels if label.points[-1][0] > plot[0] - NEAR]
    yield from _stacked(beside, plot, letter[1])
    for label in labels:
        if label not in beside:
            yield _inside(label, labels, plot, letter)


def _stacked(labels: list[Label], plot: Point, line: float) -> Iterator[Label]:
    """Yield labels in a column beside the plot, each as close to its line as possible."""
    order = sorted(labels, key=lambda label: label.points[-1][1])
    middles: list[float] = []
    floor = 0.0
    for label in order:
        half = line * len(label.lines) / 2
        middles.append(max(label.points[-1][1], floor + half if middles else half - line / 2))
        floor = middles[-1] + half
    ceiling = plot[1] + line
    for n in reversed(range(len(order))):
        half = line * len(order[n].lines) / 2
        middles[n] = min(middles[n], ceiling - half)
        ceiling = middles[n] - half
    for label, y in zip(order, middles, strict=True):
        x, end = label.points[-1]
        moved = abs(y - end) > line / 3
        yield replace(
            label, x=x + NEAR + moved * NEAR, y=y, from_x=x if moved else None, from_y=end
        )


def _inside(label: Label, labels: list[Label], plot: Point, letter: Point) -> Label:
    """Return the label, placed near the end of its line, where it covers little of any line."""
    end_x, end_y = label.points[-1]
    width = letter[0] * max(map(len, label.lines))
    height = letter[1] * len(label.lines)
    away = height / 2 + NEAR
    places = [
        (x, end_y + dy)
        for dy in (0, away, -away)
        for x in (end_x + NEAR, end_x - width / 2, end_x - width - NEAR)
        if 0 <= x <= plot[0] - width and height / 2 <= end_y + dy <= plot[1]
    ]
    crowd = [point for other in labels for point in _along(other.points)]

    def covered(place: Point) -> int:
        x, y = place
        return sum(
            x - 0.05 < a < x + width + 0.05 and abs(b - y) < height / 2 + 0.03 for a, b in crowd
        )

    x, y = min(places or [(end_x + NEAR, end_y)], key=covered)
    return replace(label, x=x, y=y)


def _along(points: list[Point]) -> Iterator[Point]:
    """Yield closely spaced points on a line."""
    for (x, y), (next_x, next_y) in pairwise(points):
        for part in range(21):
            yield x + (next_x - x) * part / 20, y + (next_y - y) * part / 20
    yield points[-1]
