"""Log files with a limited size."""

import contextlib
import io
import os
import re
import stat
import sys
import threading
from pathlib import Path
from typing import Any

from labkit.processes.output import UnfailingFile

LONGEST_LINE = 2_000  # bytes
LONGEST_ENTRY = 16_000  # bytes in one write
LARGEST_LOG = 2_000_000  # bytes
KEPT_LOG = 500_000  # how many bytes to keep at the end of a log that has become too large
LONG_LINE = re.compile(rb"[^\n]{%d,}" % (LONGEST_LINE + 1))
LEFT_OUT = b" [... %d bytes left out ...] "
BEGINNING_LEFT_OUT = b"[The log became too large: its beginning was left out.]\n"


class LogFile(UnfailingFile):
    """A log that limits the length of its lines and entries, and its total size."""

    _lock = threading.Lock()  # one lock for all threads that write to stderr

    def write(self, data: Any) -> int:
        """Write these bytes, shortened if necessary; cut a log larger than LARGEST_LOG."""
        whole = bytes(data)
        lines = LONG_LINE.sub(lambda line: _cut(line[0], LONGEST_LINE), whole)
        with self._lock, contextlib.suppress(OSError):
            super().write(_cut(lines, LONGEST_ENTRY))
            found = os.fstat(self.fileno())
            if stat.S_ISREG(found.st_mode) and found.st_size > LARGEST_LOG:
                self._keep_the_end()
        return len(whole)

    def discard(self) -> None:
        """Continue with the next entry, since a full disk may have space again by then."""

    def _keep_the_end(self) -> None:
        end = b""
        with contextlib.suppress(OSError):  # it may be write-only
            os.lseek(self.fileno(), -KEPT_LOG, os.SEEK_END)
            end = os.read(self.fileno(), KEPT_LOG).partition(b"\n")[2]
        os.ftruncate(self.fileno(), 0)
        os.lseek(self.fileno(), 0, os.SEEK_END)
        os.write(self.fileno(), BEGINNING_LEFT_OUT + end)


def _cut(text: bytes, most: int) -> bytes:
    """Return this text; if it is longer than `most` bytes, leave out its middle."""
    if len(text) <= most:
        return text
    half = (most - len(LEFT_OUT)) // 2 - 8
    return text[:half] + LEFT_OUT % (len(text) - 2 * half) + text[-half:]


def limit_log() -> None:
    """Send this process's stdout and stderr to a LogFile that wraps the current stderr."""
    file: Any = LogFile(2, "w", closefd=False)
    sys.stdout = sys.stderr = io.TextIOWrapper(
        file, encoding="utf-8", errors="backslashreplace", write_through=True
    )


def last_text(path: Path, most: int, since: int = 0) -> str:
    """Return the end of a file from position `since` on, but at most `most` bytes.

    If the file is now shorter than `since`, read from its beginning. Raise OSError.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - most, since if since <= size else 0))
        return file.read(most).decode("utf-8", "replace")
