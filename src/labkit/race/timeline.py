"""A race as a table and as a picture, SVG from the server: who read what, who saved over whom."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

from labkit.race.hooks import Step

WIDTH, LEFT, TOP = 720, 64, 34  # units of the drawing
LOW, HIGH = 15, 44  # the height of a row
MOST_ARROWS = 20  # tabs; of more, arrows would hide the bars
LETTER = 6.6  # width of one, at most


@dataclass
class Add:
    """What became of one add of one tab."""

    wave: int
    tab: int
    began: int  # the number of the step in which it asked, or read
    read_at: int
    read: int  # the total that it read
    saved_at: int | None = None  # None where it never saved
    saved: int = 0  # the total that it saved
    over: "Add | None" = None  # who saved over it, without having read it

    @property
    def kept(self) -> bool:
        return self.saved_at is not None and self.over is None

    @property
    def fate(self) -> str:
        """In words."""
        if self.saved_at is None:
            return "not saved"
        return f"lost: tab {self.over.tab} saved over it" if self.over else "kept"


class Timeline:
    """The adds of a race. Every one of them has its fate; the picture shows the first waves."""

    def __init__(self, steps: list[Step], tabs: int) -> None:
        self.tabs = tabs
        self.adds = list(_fates(steps))
        waves = max(1, 6 // tabs)
        self.shown = [add for add in self.adds if add.wave <= waves]
        self.waves = len({add.wave for add in self.shown})

    def svg(self) -> SafeString:
        """The picture: one row for each tab, from left to right in the order of what happened."""
        steps = 1 + max((add.saved_at or add.read_at for add in self.shown), default=0)
        across = (WIDTH - LEFT - 8) / steps
        high = max(LOW, min(HIGH, 280 // self.tabs))
        height = TOP + high * self.tabs + 8
        drawing = _Drawing(across, high, arrows=self.tabs <= MOST_ARROWS)
        parts = [
            f'<svg class="timeline{" many" * (high == LOW)}" viewBox="0 0 {WIDTH} {height}" '
            'role="img" aria-labelledby="timeline-title">',
            '<title id="timeline-title">Which tab read and saved when; '
            "the same stands below as a table.</title>",
            '<defs><marker id="over" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
            'markerHeight="7" orient="auto"><path d="M0 0L10 5L0 10z"/></marker></defs>',
        ]
        for tab in range(1, self.tabs + 1):
            y = TOP + high * (tab - 1) + high / 2
            parts.append(
                f'<text class="tab" x="{LEFT - 8}" y="{y + 4:.1f}">tab {tab}</text>'
                f'<line class="row" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH}" y2="{y:.1f}"/>'
            )
        for wave in sorted({add.wave for add in self.shown}):
            begin = min(add.began for add in self.shown if add.wave == wave)
            x = drawing.x(begin) - across / 4
            parts.append(
                f'<line class="wave" x1="{x:.1f}" y1="4" x2="{x:.1f}" y2="{height}"/>'
                f'<text class="wave" x="{x + 4:.1f}" y="16">wave {wave}</text>'
            )
        parts += map(drawing.bar, self.shown)
        parts += filter(None, map(drawing.arrow, self.shown))
        return mark_safe("".join([*parts, "</svg>"]))


@dataclass(frozen=True)
class _Drawing:
    across: float  # units from one step to the next
    high: float  # units from one tab to the next
    arrows: bool

    def x(self, step: int) -> float:
        return LEFT + 4 + self.across * step

    def y(self, tab: int) -> float:
        return TOP + self.high * (tab - 1) + self.high / 2

    def bar(self, add: Add) -> str:
        """From reading to saving; before it, thin, the time for which it waited for the lock."""
        end = self.x(add.saved_at or add.read_at)
        start, y, thick = self.x(add.read_at), self.y(add.tab), self.high * 0.7
        said = f"{add.read} → {add.saved}"
        room, middle, outside = LETTER * len(said), (start + end) / 2, ""
        if end - start < room:
            middle = end + 5 + room / 2 if end + room + 10 < WIDTH else start - 5 - room / 2
            outside = ' class="outside"'
        waiting = ""
        if add.began < add.read_at:
            waiting = (
                f'<line class="waits" x1="{self.x(add.began):.1f}" y1="{y:.1f}" '
                f'x2="{start:.1f}" y2="{y:.1f}"/>'
            )
        return (
            f'<g class="{"kept" if add.kept else "lost"}">{waiting}'
            f'<rect x="{start:.1f}" y="{y - thick / 2:.1f}" width="{max(end - start, 3):.1f}" '
            f'height="{thick:.1f}" rx="3"/>'
            f'<text{outside} x="{middle:.1f}" y="{y + 4:.1f}">{said}</text></g>'
        )

    def arrow(self, add: Add) -> str:
        """From the tab that saved over this add to what it saved over."""
        if not self.arrows or add.over is None or add.over.saved_at is None:
            return ""
        x, start, end = self.x(add.over.saved_at), self.y(add.over.tab), self.y(add.tab)
        return f'<line class="over" x1="{x:.1f}" y1="{start:.1f}" x2="{x:.1f}" y2="{end:.1f}"/>'


def _fates(steps: list[Step]) -> Iterator[Add]:
    """What became of every add, by who had been saved when each one read."""
    under_way: dict[tuple[int, int], Add] = {}
    began: dict[tuple[int, int], int] = {}
    seen: dict[tuple[int, int], dict[tuple[int, int], Add]] = {}
    stored: dict[tuple[int, int], Add] = {}  # whose adds are in what is stored
    for at, step in enumerate(steps):
        key = step.wave, step.tab
        began.setdefault(key, at)
        if step.kind == "read":
            under_way[key] = Add(step.wave, step.tab, began[key], at, step.total)
            seen[key] = stored
        elif step.kind == "saved":
            add = under_way[key]
            add.saved_at, add.saved = at, step.total
            for other in stored.keys() - seen[key].keys():
                stored[other].over = add
            stored = seen[key] | {key: add}
            for there in stored.values():  # one who was saved over may be brought back
                there.over = None
    yield from under_way.values()
