"""Record the exception that ended a request, and the line of the lab's code that led to it."""

import linecache
import sys
from dataclasses import dataclass
from html import escape
from pathlib import Path
from sys import getsizeof
from types import TracebackType

from django.conf import settings

LONGEST_MESSAGE, LONGEST_CODE = 500, 200  # characters


@dataclass(frozen=True, slots=True)
class Crash:
    """An uncaught exception as text, since the exception object would keep its frames alive."""

    name: str  # the name of the exception's class, such as "CookieError"
    message: str
    # A place such as "lab/storage.py, line 20, in put"; "" if the lab's code is not involved.
    place: str = ""
    code: str = ""  # that line

    @property
    def title(self) -> str:
        """The exception's name and message, as Python prints them."""
        return f"{self.name}: {self.message}" if self.message else self.name

    def measure(self) -> int:
        """Return how many bytes of memory this object takes up."""
        return sum(map(getsizeof, (self.name, self.message, self.place, self.code)))

    def as_html(self) -> str:
        """Return a paragraph for the summary bar, as HTML."""
        place = f" · <code>{escape(self.place)}</code>" if self.place else ""
        return (
            f'<p class="crash" data-crash="{escape(self.name)}">'
            f"<b>{escape(self.title)}</b>{place}</p>"
        )


def current_crash() -> Crash | None:
    """Return the exception that is currently being handled, or None."""
    error = sys.exc_info()[1]
    if error is None:
        return None
    try:
        message = str(error)[:LONGEST_MESSAGE]
    except Exception:  # __str__ is the lab's code
        message = ""
    return Crash(type(error).__name__, message, *_own_line(error.__traceback__))


def _own_line(traceback: TracebackType | None) -> tuple[str, str]:
    """Return the location and code of the innermost line of the lab in the traceback, or empty
    strings."""
    folder, found = str(settings.FOLDER), None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename.startswith(folder):
            found = traceback
        traceback = traceback.tb_next
    if found is None:
        return "", ""
    code, line = found.tb_frame.f_code, found.tb_lineno
    path = Path(code.co_filename).relative_to(folder).as_posix()
    source = linecache.getline(code.co_filename, line).strip()[:LONGEST_CODE]
    return f"{path}, line {line}, in {code.co_name}", source
