"""Move the server's clock, independently of the browser's clock.

Everything in this process uses the moved time: views, sessions, signatures, cookies and logs.
MariaDB and other processes use the real time. https://time-machine.readthedocs.io/
"""

import datetime as dt
import sys
import threading
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import time_machine

_lock = threading.Lock()
_travel: "time_machine.travel | None" = None
_traveller: "time_machine.Traveller | None" = None
_moved = 0.0


def moved() -> float:
    """Return the number of seconds by which the clock is ahead of the real time."""
    return _moved


def forward(seconds: float) -> None:
    """Move the clock by a number of seconds; a negative number moves it back."""
    global _travel, _traveller, _moved  # noqa: PLW0603 the whole process has one clock
    with _lock:
        if _traveller is None:
            _travel = _time_machine().travel(dt.datetime.now(dt.UTC), tick=True)
            _traveller = _travel.start()
        _traveller.shift(seconds)
        _moved += seconds


def back_to_now() -> None:
    """Set the clock back to the real time."""
    global _travel, _traveller, _moved
    with _lock:
        if _travel is not None:
            with suppress(RuntimeError):
                _travel.stop()
        _travel, _traveller, _moved = None, None, 0.0


def _time_machine() -> Any:
    """Import time-machine, but not pytest, for which it would define a fixture.

    Importing pytest would cost each lab a tenth of a second and ten megabytes.
    """
    if "pytest" in sys.modules:
        return import_module("time_machine")
    modules: dict[str, Any] = sys.modules
    modules["pytest"] = None  # makes the import of pytest fail, which time-machine allows
    try:
        return import_module("time_machine")
    finally:
        del modules["pytest"]
