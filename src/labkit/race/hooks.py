"""What one tab does in its request: it asks, reads, takes a while and saves, and that is noted.

In a request that belongs to no race these functions do what their names say, and note nothing.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

KEY = "labkit.tab"  # in the WSGI environ, where no header of a browser's can put anything
MEETING = 10  # seconds for which a tab waits for the others of its wave, at most

Goods = dict[str, int]  # name -> quantity
Load = Callable[[HttpRequest], Goods]


@dataclass(frozen=True)
class Step:
    """One tab did one thing: "asks", "read" or "saved". `total`: of all quantities, then."""

    wave: int
    tab: int
    kind: str
    total: int = 0


@dataclass
class Notes:
    """What all tabs did, in order. Whoever holds `turn` is the only one who reads or saves."""

    steps: list[Step] = field(default_factory=list)
    # The order in which things are noted has to be that in which the store saw them.
    turn: threading.RLock = field(default_factory=threading.RLock)


class Wave:
    """The tabs whose requests are under way at the same time."""

    def __init__(self, number: int, tabs: int) -> None:
        self.number = number
        self._tabs, self._here = tabs, set[int]()
        self._arrival = threading.Condition()

    def arrive(self, tab: int) -> None:
        """This tab has read, waits for the lock, or will do neither any more."""
        with self._arrival:
            self._here.add(tab)
            self._arrival.notify_all()

    def meet(self) -> bool:
        """Wait until all have arrived, no longer than MEETING; whether they have."""
        with self._arrival:
            return self._arrival.wait_for(lambda: len(self._here) == self._tabs, MEETING)


@dataclass
class Tab:
    """One tab in one wave."""

    number: int
    wave: Wave
    notes: Notes

    def note(self, kind: str, goods: Goods | None = None) -> None:
        """Write down what it has just done."""
        total = sum((goods or {}).values())
        self.notes.steps.append(Step(self.wave.number, self.number, kind, total))

    def watch(self, session: Any, look: Callable[[], Goods]) -> None:
        """Note when this session is saved, and what `look()` then finds in it."""
        save = session.save

        def noted(must_create: bool = False) -> None:
            with self.notes.turn:
                save(must_create)
                if not must_create:  # which is a part of another save
                    self.note("saved", look())

        session.save = noted


def asks(request: HttpRequest) -> None:
    """The tab asks for the lock, and may have to wait for it."""
    if tab := request.META.get(KEY):
        tab.note("asks")
        tab.wave.arrive(tab.number)


def read(request: HttpRequest, load: Load) -> Goods:
    """Return what load(request) returns: the goods as this tab knows them from now on."""
    tab: Tab | None = request.META.get(KEY)
    if tab is None:
        return load(request)
    with tab.notes.turn:
        goods = load(request)
        tab.note("read", goods)
    tab.watch(request.session, lambda: load(request))
    tab.wave.arrive(tab.number)
    return goods


def take_a_while(request: HttpRequest, seconds: float) -> None:
    """Do what takes so long. In a race, no less than until all tabs have read or wait for a lock.

    So that any delay is as good as a long one, however busy the machine is; with none at all the
    tabs do not wait for one another, and it is luck which of them overlap.
    """
    if seconds:
        time.sleep(seconds)
        if tab := request.META.get(KEY):
            tab.wave.meet()
