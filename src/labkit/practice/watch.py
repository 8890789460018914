"""Check a copy again after each save, until the user presses q or Ctrl-C.

File contents are compared, since modification times are too coarse on some systems, and no service
of one operating system is needed.
"""

import contextlib
import hashlib
import os
import select
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

PAUSE = 0.3  # seconds between two looks at the files
QUIT = {"q", "Q", "\x04"}  # and Ctrl-D
IGNORED = {"__pycache__", ".pytest_cache"}

Contents = dict[str, bytes]  # a file's path below the folder -> its hash


def read_contents(folder: Path) -> Contents:
    """Return a hash of each file in a folder; a file that vanishes in that time is left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if IGNORED & set(path.parts) or not path.is_file():
            continue
        with contextlib.suppress(OSError):
            name = path.relative_to(folder).as_posix()
            found[name] = hashlib.sha256(path.read_bytes()).digest()
    return found


def changed_files(before: Contents, after: Contents) -> list[str]:
    """Return the paths of files that were changed, added or removed."""
    return sorted(path for path, _ in before.items() ^ after.items())


def is_interactive() -> bool:
    """Return whether a person can press a key and read what is printed."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def watch(folder: Path, run: Callable[[list[str]], None], wait_for_key: Callable[[], str]) -> None:
    """Call `run` now, and again each time a file in the folder has another content.

    run: gets the changed files, none for the first call.
    wait_for_key: waits PAUSE seconds at most; returns a key that was pressed, or "".

    Returns after one of the keys of QUIT. A save during `run` leads to another call.
    """
    seen = read_contents(folder)
    run([])
    while wait_for_key() not in QUIT:
        now = read_contents(folder)
        if changed := sorted(set(changed_files(seen, now))):
            seen = now
            run(changed)


@contextlib.contextmanager
def keys() -> Iterator[Callable[[], str]]:
    """Yield a function that waits for a key of the terminal, without the need for Enter."""
    if sys.platform == "win32":
        yield _windows_key
        return
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)  # Ctrl-C still interrupts
    try:
        yield lambda: _key_of(terminal)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _key_of(terminal: int) -> str:
    ready, _, _ = select.select([terminal], [], [], PAUSE)
    if not ready:
        return ""
    return os.read(terminal, 1).decode(errors="replace") or "\x04"  # the terminal was closed


def _windows_key() -> str:
    import msvcrt

    threading.Event().wait(PAUSE)
    return msvcrt.getwch() if msvcrt.kbhit() else ""  # type: ignore[attr-defined]
