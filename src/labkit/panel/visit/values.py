"""Write the values in a recorded test, without secrets and without parts that vary."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from labkit.http.cookie_header import cookie_name, from_wire
from labkit.http.set_cookie import is_deletion
from labkit.panel.visit.actions import Request, Script, SetCookie
from labkit.panel.visit.effects import KEY
from labkit.panel.visit.python_source import Node, listed, mapped, quoted

ANY = "ANY"  # unittest.mock.ANY, which equals everything
# The names of session entries whose values differ in each visit.
VARYING = {"_auth_user_hash", "_csrftoken", "_password_reset_token"}
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
SIGNED = re.compile(r"[\w.=-]*:[0-9A-Za-z]{6}:[\w-]{43}")
EARLIEST, LATEST = 1.5e9, 4e9  # POSIX seconds; a number between them is probably a time


def source_of(value: Any, name: str = "", *, exact: bool = False) -> Node:
    """Return the source of a value, with ANY in place of parts that differ in each visit.

    exact: whether to write times too, instead of ANY.
    """
    if isinstance(value, dict):
        return mapped({str(k): source_of(v, str(k), exact=exact) for k, v in value.items()})
    if isinstance(value, list):
        return listed(source_of(each, name, exact=exact) for each in value)
    if isinstance(value, str):
        varies = name in VARYING or KEY.search(value) or SIGNED.search(value)
        return ANY if varies or (MOMENT.match(value) and not exact) else quoted(value)
    if isinstance(value, int | float) and EARLIEST < value < LATEST and not exact:
        return ANY
    return repr(value)


def is_secret_value(name: str, value: str) -> bool:
    """Return whether a cookie or form field contains a session key or a signature."""
    is_key = name == settings.SESSION_COOKIE_NAME and len(value) >= 20
    return is_key or bool(KEY.search(value) or SIGNED.fullmatch(value))


@dataclass(frozen=True)
class Made:
    """A value in the test: either the literal `text` or an expression."""

    text: str = ""
    expression: str = ""

    @property
    def source(self) -> str:
        """The source of the value."""
        return self.expression or quoted(self.text)


class Copies:
    """The variables with the values of cookies and URLs that the test must not write out."""

    def __init__(self, script: Script, names: list[str]) -> None:
        self._names = names
        self._saved: dict[tuple[str, str], str] = {}  # (cookie, value) -> variable
        self._keys: dict[str, str] = {}  # session key in a URL -> variable
        self._wanted = {(a.name, a.value) for a in script.actions if isinstance(a, SetCookie)}
        later = [each.first.path for each in script.requests if each.first.method != "POST"]
        self._wanted_keys = {key for path in later for key in KEY.findall(path)}

    def find(self, action: SetCookie) -> Made | None:
        """Return the variable with this cookie's value, or None if no response had set it."""
        variable = self._saved.get((action.name, action.value))
        return Made(expression=variable) if variable else None

    def note_request(self, request: Request, variable: str) -> Iterator[str]:
        """Yield the lines that save cookies and keys after a request, for later use in the test."""
        for name, value in _set_by(request):
            if (name, value) in self._wanted and (name, value) not in self._saved:
                number = f"_{len(self._saved) + 1}" if self._saved else ""
                self._saved[name, value] = f"copied{number}"
                browser = self._names[request.browser]
                yield f"copied{number} = {browser}.cookies[{quoted(name)}].value"
        for key in KEY.findall(request.last.path):
            if key in self._wanted_keys and key not in self._keys:
                number = f"_{len(self._keys) + 1}" if self._keys else ""
                self._keys[key] = f"key{number}"
                yield f"key{number} = key_in({variable})"

    def url(self, path: str) -> str:
        """Return the source of a URL, with variables in place of the session keys in it."""
        keys = KEY.findall(path)
        if not keys:
            return quoted(path)
        text = path.replace("{", "{{").replace("}", "}}")
        for key in keys:
            text = text.replace(key, f"{{{self._keys[key]}}}" if key in self._keys else "0" * 32)
        return f"f{quoted(text)}" if any(key in self._keys for key in keys) else quoted(text)


def _set_by(request: Request) -> Iterable[tuple[str, str]]:
    """Return the (name, value) pairs of the cookies that the browser has after a request."""
    found: dict[str, str] = {}
    for exchange in request.exchanges:
        for line in exchange.set_cookies:
            name = from_wire(cookie_name(line))
            if is_deletion(line, exchange.at):
                found.pop(name, None)
            else:
                found[name] = from_wire(line.partition(";")[0].partition("=")[2].strip())
    return found.items()
