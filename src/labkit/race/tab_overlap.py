"""Record what each tab reads and saves, and make the requests of a wave overlap.

No view has to be changed: the panel's session hooks report loads and saves, and the session lock's
signals report which tab is waiting for the lock.
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

CART = "cart"  # the name of the session entry that the tabs change; its value is {name: quantity}
PATIENCE = 10  # how many seconds a tab waits for the other tabs of its wave

# A lock that is held during loads and saves, so that they are recorded in their real order.
_turn = threading.RLock()
_active: ContextVar["Tab | None"] = ContextVar("tab", default=None)


@dataclass(frozen=True)
class Step:
    """A step of one tab: it waits for the lock, has read the cart, or has saved the cart."""

    wave: int
    tab: int
    kind: str  # "waits", "read" or "saved"
    total: int = 0  # the sum of all quantities in the cart that was read or saved


class Wave:
    """The tabs that send their requests at the same time.

    overlap: whether each tab continues only when all tabs have read the cart or are waiting for the
    lock, so that the requests overlap even on a busy machine. Otherwise, it is a matter of chance
    whether they overlap.
    """

    def __init__(self, number: int, tabs: int, overlap: bool) -> None:
        self.number = number
        self._missing = set(range(1, tabs + 1)) if overlap else set[int]()
        self._all_here = threading.Event()
        if not overlap:
            self._all_here.set()

    def arrive(self, tab: int) -> None:
        """Note that a tab has read the cart, is waiting for the lock, or has ended its request."""
        self._missing.discard(tab)
        if not self._missing:
            self._all_here.set()

    def meet(self) -> bool:
        """Wait at most PATIENCE seconds for all tabs to arrive; return whether they have."""
        return self._all_here.wait(PATIENCE)


@dataclass
class Tab:
    """A tab in a wave, which adds its steps to those of the race."""

    number: int
    wave: Wave
    steps: list[Step]
    _recorded: int = field(default=0, init=False)

    @contextmanager
    def observed(self) -> Iterator[None]:
        """Record the steps of the request that this thread handles within this block."""
        tab = _active.set(self)
        try:
            with session_recorder.surrounded_by(self._operation):
                yield
        finally:
            _active.reset(tab)
            # Counts as arrived even if the request was refused before it read the cart.
            self.wave.arrive(self.number)

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
        """Record a step. data: the session's data."""
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
