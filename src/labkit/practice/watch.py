"""Check a copy again after each save, until the user presses q or Ctrl-C.

The contents of files are compared, because modification times are too coarse on some systems. This
also avoids services that only one operating system has.
"""

import contextlib
import hashlib
import os
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from labkit.testing.pytest_runner import Cancelled

PAUSE = 0.3  # in seconds, the pause between two comparisons of the files
QUIT = {"q", "Q", "\x04"}  # "\x04" is Ctrl-D
IGNORED = {"__pycache__", ".pytest_cache"}

Contents = dict[str, bytes]  # {path below the folder: hash of the file}


def read_contents(folder: Path) -> Contents:
    """Return {path: hash} of the files in a folder; files deleted in the meantime are left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if IGNORED & set(path.parts) or not path.is_file():
            continue
        with contextlib.suppress(OSError):
            name = path.relative_to(folder).as_posix()
            found[name] = hashlib.sha256(path.read_bytes()).digest()
    return found


def changed_files(before: Contents, after: Contents) -> list[str]:
    """Return the paths of the files that were changed, added or removed."""
    return sorted(path for path, _ in before.items() ^ after.items())


def is_interactive() -> bool:
    """Return whether input and output are a terminal, so that a user can press a key."""
    return sys.stdin.isatty() and sys.stdout.isatty()


class Saves:
    """The files saved in a folder since the last check, and whether a QUIT key was pressed."""

    def __init__(self, folder: Path, wait_for_key: Callable[[float], str]) -> None:
        """wait_for_key: takes a time limit in seconds; returns the key that was pressed, or ""."""
        self.folder, self.wait_for_key = folder, wait_for_key
        self.changed: set[str] = set()
        self.quit = False
        self._seen, self._due = read_contents(folder), 0.0
        self._lock = threading.Lock()  # several threads use this object while tests are scored

    def outdate(self, seconds: float = 0) -> bool:
        """Return whether a running check is outdated, because of a save or a QUIT key.

        seconds: how long to wait for a key. Files are read at most once per PAUSE seconds.
        """
        with self._lock:
            self.quit = self.quit or self.wait_for_key(seconds) in QUIT
            if not self.quit and (seconds or time.monotonic() >= self._due):
                now = read_contents(self.folder)
                self.changed |= set(changed_files(self._seen, now))
                self._seen, self._due = now, time.monotonic() + PAUSE
            return self.quit or bool(self.changed)

    def take(self) -> list[str]:
        """Return the files that were changed, added or removed, and clear the list."""
        changed, self.changed = sorted(self.changed), set()
        return changed


def watch(
    folder: Path,
    run: Callable[[list[str], Callable[[], bool]], None],
    wait_for_key: Callable[[float], str],
) -> None:
    """Call `run` now, and again each time the content of the folder has changed.

    run: called with the changed files (at first, none), and a function that returns whether `run`
        should stop because of another save or a key. It may raise Cancelled.
    wait_for_key: takes a time limit in seconds; returns the key that was pressed, or "".

    Returns when one of the keys in QUIT is pressed.
    """
    saves = Saves(folder, wait_for_key)
    while not saves.quit:
        with contextlib.suppress(Cancelled):
            run(saves.take(), saves.outdate)
        while not saves.outdate(PAUSE):
            pass


@contextlib.contextmanager
def keys() -> Iterator[Callable[[float], str]]:
    """Yield a function that waits up to some seconds for a key, without the Enter key."""
    if sys.platform == "win32":
        yield _windows_key
        return
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)  # Ctrl-C still works in this mode
    try:
        yield lambda seconds: _key_of(terminal, seconds)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _key_of(terminal: int, seconds: float) -> str:
    ready, _, _ = select.select([terminal], [], [], seconds)
    if not ready:
        return ""
    # Empty if the terminal was closed.
    return os.read(terminal, 1).decode(errors="replace") or "\x04"


def _windows_key(seconds: float) -> str:
    import msvcrt

    threading.Event().wait(seconds)
    return msvcrt.getwch() if msvcrt.kbhit() else ""  # type: ignore[attr-defined]
