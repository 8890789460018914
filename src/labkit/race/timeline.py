"""Show a race as a table and a picture: what each tab read, and whose change was lost."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.template import Engine
from django.utils.safestring import SafeString

from labkit.race.tab_overlap import Step

WIDTH, LEFT, RIGHT = 720, 64, 190  # sizes in units of the picture; the text is in the margins
ROW, BAR = 28, 14  # heights
MOST = 12  # the maximum number of rows; if there are more adds, those in the middle share a row

_templates = Engine(dirs=[str(Path(__file__).parent / "templates")])


@dataclass
class Add:
    """An add by one tab, and whether it was lost."""

    wave: int
    tab: int
    began: int  # the number of the add's first step: waiting for the lock, or reading
    read_at: int
    read: int  # the total that the tab read from the cart
    saved_at: int | None = None  # None if the tab never saved the cart
    saved: int = 0  # the total that the tab saved to the cart
    over: "Add | None" = None  # the add that overwrote this add without having read it

    @property
    def kept(self) -> bool:
        """Return whether the add is in the store at the end."""
        return self.saved_at is not None and self.over is None

    @property
    def fate(self) -> str:
        """Return in words whether the add is stored, and which tab overwrote it."""
        if self.saved_at is None:
            return "not saved"
        return f"lost: tab {self.over.tab} overwrote it" if self.over else "kept"


class Timeline:
    """The adds of a race: all of them in `adds`, and those in the picture in `shown`."""

    def __init__(self, steps: list[Step], tabs: int) -> None:
        self.tabs = tabs
        self.adds = list(_adds(steps))
        waves = max(1, 6 // tabs)
        self.shown = [add for add in self.adds if add.wave <= waves]
        self.waves = len({add.wave for add in self.shown})
        self._columns: list[int] = []  # the steps shown in the picture

    def svg(self) -> SafeString:
        """Return the picture: a row for each add, wave by wave, in the order of the saves.

        A bar shows the time from reading to saving the cart. The line after the bar shows how long
        the saved cart remains in the store; the line ends where another tab overwrites the cart.
        Text is in a separate column.
        """
        rows = sorted(self.shown, key=lambda add: (add.wave, add.saved_at or add.read_at))
        half = MOST // 2
        folded = rows[half:-half] if len(rows) > MOST else []
        drawn = [add for add in rows if add not in folded]
        self._columns = sorted({step for add in drawn for step in _steps_of(add)})
        tops: dict[int, float] = {}  # {id() of an add: the vertical centre of its row}
        waves, y, fold = [], 0.0, None
        for number, add in enumerate(drawn):
            if self.waves > 1 and (number == 0 or add.wave > drawn[number - 1].wave):
                y += ROW
                waves.append((add.wave, y - ROW / 3))
            if folded and number == half:
                y += ROW
                lost = sum(not add.kept for add in folded)
                fold = {"y": y - ROW / 2, "tabs": len(folded), "lost": lost}
            y += ROW
            tops[id(add)] = y - ROW / 2
        context = {
            "width": WIDTH,
            "height": y + 8,
            "left": LEFT,
            "right": WIDTH - RIGHT,
            "text": WIDTH - RIGHT + 10,
            "thickness": BAR,
            "waves": waves,
            "fold": fold,
            "rows": [self._row(add, tops) for add in drawn],
        }
        return _templates.render_to_string("race/timeline.svg", context)

    def _x(self, step: int) -> float:
        across = (WIDTH - LEFT - RIGHT - 20) / max(1, len(self._columns) - 1)
        return round(LEFT + 10 + across * self._columns.index(step), 1)

    def _row(self, add: Add, tops: dict[int, float]) -> dict[str, Any]:
        """Return the row of an add: its bar, the line after the bar, and the end of that line."""
        y, saved_at = tops[id(add)], add.saved_at
        start, end = self._x(add.read_at), self._x(add.read_at if saved_at is None else saved_at)
        over = add.over if add.over and add.over.saved_at is not None else None
        return {
            "fate": "kept" if add.kept else "lost",
            "tab": add.tab,
            "y": y,
            "top": y - BAR / 2,
            "waits": self._x(add.began) if add.began < add.read_at else None,
            "x": start,
            "width": round(max(end - start, 3), 1),
            "end": end,
            "until": self._x(over.saved_at) if over and over.saved_at else WIDTH - RIGHT,
            "by": tops.get(id(over)) if over else None,
            "arrow_end": y + BAR / 2,
            "over": over.tab if over else None,
            "read": add.read,
            "saved": None if saved_at is None else add.saved,
        }


def _steps_of(add: Add) -> Iterator[int]:
    """Yield the numbers of the steps that the row of this add shows."""
    yield from (add.began, add.read_at)
    if add.saved_at is not None:
        yield add.saved_at
    if add.over and add.over.saved_at is not None:
        yield add.over.saved_at


def _adds(steps: list[Step]) -> Iterator[Add]:
    """Yield every add, with the add that overwrote it, if any.

    An add is lost if a tab that has not read it saves the cart. The add is restored if a tab that
    has read it saves the cart later.
    """
    under_way: dict[tuple[int, int], Add] = {}
    began: dict[tuple[int, int], int] = {}
    seen: dict[tuple[int, int], dict[tuple[int, int], Add]] = {}
    stored: dict[tuple[int, int], Add] = {}  # the adds in the store after this step
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
