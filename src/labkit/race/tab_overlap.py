"""Record what each tab reads and saves, and make the tabs of a wave overlap.

The view needs no changes for this: the panel's session hooks report loads and saves, and the
session lock's signals report which tab waits for it.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.dispatch import receiver

from labkit.base.session_lock import lock_requested, row_locked
from labkit.panel import session_recorder
from labkit.panel.models import open_snapshot

CART = "cart"  # the session's entry that the tabs change, {name: quantity}
PATIENCE = 10  # seconds; a tab waits at most this long for the others of its wave

_turn = threading.RLock()  # held during a load or save, so that steps are in the store's order
_active: ContextVar["Tab | None"] = ContextVar("tab", default=None)


@dataclass(frozen=True)
class Step:
    """A step of one tab: it waits for the lock, has read the cart, or has saved it."""

    wave: int
    tab: int
    kind: str  # "waits", "read" or "saved"
    total: int = 0  # the sum of all quantities in the cart that was read or saved


class Wave:
    """The tabs that send their requests at the same time.

    overlap: whether each tab continues only when all have read the cart or wait for the lock, so
    that they overlap even on a busy machine. Otherwise, overlapping is a matter of chance.
    """

    def __init__(self, number: int, tabs: int, overlap: bool) -> None:
        self.number = number
        self._missing = set(range(1, tabs + 1)) if overlap else set[int]()
        self._all_here = threading.Event()
        if not overlap:
            self._all_here.set()

    def arrive(self, tab: int) -> None:
        """Count a tab that has read the cart, waits for the lock, or has ended."""
        self._missing.discard(tab)
        if not self._missing:
            self._all_here.set()

    def meet(self) -> bool:
        """Wait at most PATIENCE until all tabs have arrived; return whether they have."""
        return self._all_here.wait(PATIENCE)


@dataclass
class Tab:
    """One tab in one wave; it adds its steps to those of the race."""

    number: int
    wave: Wave
    steps: list[Step]
    _recorded: int = field(default=0, init=False)

    @contextmanager
    def observed(self) -> Iterator[None]:
        """Record the steps of the request that this thread handles within the block."""
        tab = _active.set(self)
        try:
            with session_recorder.surrounded_by(self._operation):
                yield
        finally:
            _active.reset(tab)
            self.wave.arrive(self.number)  # even if its request was refused before it read the cart

    @contextmanager
    def _operation(self, name: str) -> Iterator[None]:
        with _turn:
            yield
            operations = session_recorder.operations()
            for operation in operations[self._recorded :]:
                if operation.kind != "delete" and not operation.error:
                    kind = "read" if operation.kind == "load" else "saved"
                    self.record(kind, open_snapshot(operation.data))
            self._recorded = len(operations)
        if name == "load":
            self.wave.arrive(self.number)
            self.wave.meet()

    def record(self, kind: str, data: Any = None) -> None:
        """Add a step. data: the session's data."""
        total = sum((data or {}).get(CART, {}).values())
        self.steps.append(Step(self.wave.number, self.number, kind, total))


@receiver(lock_requested)
def _record_wait(**_: Any) -> None:
    if tab := _active.get():
        tab.record("waits")
        tab.wave.arrive(tab.number)


@receiver(row_locked)
def _record_locked_read(session: Any, **_: Any) -> None:
    if tab := _active.get():
        tab.record("read", session)
        tab.wave.meet()
