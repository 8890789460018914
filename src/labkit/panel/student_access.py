"""Decide what students may read: code, answers and solutions."""

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from labkit.catalog import state_path, writable
from labkit.kept_files import write_whole
from labkit.panel.access import is_local_instructor
from labkit.panel.exchange_log import SERVER

SWITCHES = "student_access.json"  # in the state folder
SHOWN, HIDDEN = "shown", "hidden"
_lock = threading.Lock()


@dataclass(frozen=True)
class Access:
    """The instructor's switches for students on the network."""

    answers: bool = False  # whether students see the handouts' answers
    solutions: tuple[str, ...] = ()  # the exercises and versions with a released solution
    hidden_code: tuple[str, ...] = ()  # the numbers of labs whose code is hidden


def may_read_code(request: HttpRequest) -> bool:
    """Return whether this visitor may read the lab's code.

    Visitors on this machine may always read it. For all others, the instructor decides in the
    console.
    """
    return _on_own_machine(request) or settings.LAB not in _access().hidden_code


def may_read_answers(request: HttpRequest) -> bool:
    """Return whether this visitor may read the answers in the lab's handout.

    Visitors on this machine may always read it. For all others, the instructor decides in the
    console.
    """
    return _on_own_machine(request) or _access().answers


def may_see_crash(request: HttpRequest) -> bool:
    """Return whether this visitor may see exceptions, which are shown only on this machine."""
    return _on_own_machine(request)


def _on_own_machine(request: HttpRequest) -> bool:
    """Return whether this is the instructor, or a visitor of `lab run --servers`."""
    return is_local_instructor(request) or bool(SERVER)


def _access() -> Access:
    return read_access(state_path(settings.FOLDER).parent)


def read_access(state: Path) -> Access:
    """Return the switches, with their default values if the file is missing or damaged.

    state: the state folder; see `labkit.catalog.state_home`.
    """
    try:
        found = json.loads((state / SWITCHES).read_text(encoding="utf-8"))
        return Access(
            found["answers"] is True,
            tuple(map(str, found["solutions"])),
            tuple(map(str, found["hidden_code"])),
        )
    except (OSError, ValueError, LookupError, TypeError):
        return Access()


def show_answers(state: Path, shown: bool) -> None:
    """Show or hide the answers of all handouts. Raises OSError, CatalogError."""
    _change(state, lambda access: replace(access, answers=shown))


def release_solution(state: Path, name: str, released: bool) -> None:
    """Release or hide an exercise's or version's solution. Raises OSError, CatalogError."""

    def change(access: Access) -> Access:
        others = tuple(each for each in access.solutions if each != name)
        return replace(access, solutions=(*others, name) if released else others)

    _change(state, change)


def hide_code(state: Path, numbers: tuple[str, ...]) -> None:
    """Hide the code of these labs, and show that of all others. Raises OSError, CatalogError."""
    _change(state, lambda access: replace(access, hidden_code=numbers))


def _change(state: Path, change: Callable[[Access], Access]) -> None:
    with _lock:
        found: dict[str, Any] = asdict(change(read_access(state)))
        write_whole(writable(state) / SWITCHES, json.dumps(found, indent=1), private=True)
