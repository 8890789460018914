"""Shows a race as a table and as a picture: which tab read what, and whose change was lost."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.template import Engine
from django.utils.safestring import SafeString

from labkit.race.tab_overlap import Step

WIDTH, LEFT, TOP = 720, 64, 34  # in units of the picture
LOWEST, HIGHEST = 15, 44  # height of a row
MOST_ARROWS = 20  # tabs; with more, arrows would hide the bars
LETTER = 6.6  # greatest width of a letter

_templates = Engine(dirs=[str(Path(__file__).parent / "templates")])


@dataclass
class Add:
    """One add of one tab, and whether it is in the store at the end."""

    wave: int
    tab: int
    began: int  # the number of the step in which it waited or read
    read_at: int
    read: int  # the total that it read
    saved_at: int | None = None  # None if it never saved
    saved: int = 0  # the total that it saved
    over: "Add | None" = None  # the add that overwrote it without having read it

    @property
    def kept(self) -> bool:
        """Return True if it is in the store at the end."""
        return self.saved_at is not None and self.over is None

    @property
    def fate(self) -> str:
        """Return the same in words, with the tab that overwrote it."""
        if self.saved_at is None:
            return "not saved"
        return f"lost: tab {self.over.tab} overwrote it" if self.over else "kept"


class Timeline:
    """All adds of a race, `adds`, and those of the first waves, `shown` in the picture."""

    def __init__(self, steps: list[Step], tabs: int) -> None:
        self.tabs = tabs
        self.adds = list(_adds(steps))
        waves = max(1, 6 // tabs)
        self.shown = [add for add in self.adds if add.wave <= waves]
        self.waves = len({add.wave for add in self.shown})
        self._row = max(LOWEST, min(HIGHEST, 280 // tabs))
        last = max((add.saved_at or add.read_at for add in self.shown), default=0)
        self._across = (WIDTH - LEFT - 8) / (1 + last)

    def svg(self) -> SafeString:
        """Return the picture: a row for each tab, with its steps in their order from the left."""
        began: dict[int, int] = {}  # wave -> its first step
        for add in self.shown:
            began[add.wave] = min(add.began, began.get(add.wave, add.began))
        arrows = self.shown if self.tabs <= MOST_ARROWS else []
        context = {
            "low": self._row == LOWEST,
            "width": WIDTH,
            "height": TOP + self._row * self.tabs + 8,
            "left": LEFT,
            "thickness": round(self._row * 0.7, 1),
            "rows": [(tab, self._y(tab)) for tab in range(1, self.tabs + 1)],
            "waves": [(wave, self._x(at - 0.25)) for wave, at in sorted(began.items())],
            "bars": [self._bar(add) for add in self.shown],
            "arrows": [
                {"x": self._x(over.saved_at), "start": self._y(over.tab), "end": self._y(add.tab)}
                for add in arrows
                if (over := add.over) and over.saved_at is not None
            ],
        }
        return _templates.render_to_string("race/timeline.svg", context)

    def _x(self, step: float) -> float:
        return round(LEFT + 4 + self._across * step, 1)

    def _y(self, tab: int) -> float:
        return round(TOP + self._row * (tab - 0.5), 1)

    def _bar(self, add: Add) -> dict[str, Any]:
        """Return a bar from reading to saving, and where its text has room."""
        start, end = self._x(add.read_at), self._x(add.saved_at or add.read_at)
        text = f"{add.read} → {add.saved}"
        room, middle = LETTER * len(text), (start + end) / 2
        if outside := end - start < room:
            middle = end + 5 + room / 2 if end + room + 10 < WIDTH else start - 5 - room / 2
        return {
            "fate": "kept" if add.kept else "lost",
            "waits": self._x(add.began) if add.began < add.read_at else None,
            "x": start,
            "y": self._y(add.tab),
            "top": round(self._y(add.tab) - self._row * 0.35, 1),
            "width": round(max(end - start, 3), 1),
            "outside": outside,
            "middle": round(middle, 1),
            "text": text,
        }


def _adds(steps: list[Step]) -> Iterator[Add]:
    """Yield every add, with the add that overwrote it.

    An add is lost if another one that had not read it saves, and is back if one that had read it
    saves later.
    """
    under_way: dict[tuple[int, int], Add] = {}
    began: dict[tuple[int, int], int] = {}
    seen: dict[tuple[int, int], dict[tuple[int, int], Add]] = {}
    stored: dict[tuple[int, int], Add] = {}  # the adds that are in the store after this step
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
            for brought_back in stored.values():
                brought_back.over = None
    yield from under_way.values()
