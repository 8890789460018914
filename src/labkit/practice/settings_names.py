"""Find a misspelt name in a copy's settings that Django could not import."""

import contextlib
import difflib
import importlib
import importlib.util
import pkgutil
import re
from pathlib import Path
from typing import NamedTuple

# Error messages of Python and of django.utils.module_loading.import_string.
MISSING = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")
UNDEFINED = re.compile(r'ImportError: Module "([\w.]+)" does not define a "(\w+)"')
NO_PATH = re.compile(r"ImportError: (\S+) doesn't look like a module path")
LIST = re.compile(r"^(\w+)\b.*=", re.M)
DID_YOU_MEAN = "Did you mean {name}?"
COMPARE_NAME = "Compare the name with the settings of other labs."
# Only modules of these libraries are imported to look for similar names.
LIBRARIES = ("django", "labkit")


class NameInSettings(NamedTuple):
    """A name in the settings that cannot be imported."""

    line: int
    code: str  # the text of this line
    list: str  # text such as ", in INSTALLED_APPS", or "" if the line belongs to no setting
    advice: str


def find_name_in_settings(error: str, settings: Path) -> NameInSettings | None:
    """Return the name in this file that caused an ImportError, or None if there is no such name."""
    undefined, missing = UNDEFINED.match(error), MISSING.match(error) or NO_PATH.match(error)
    if undefined:
        name, parent, last = f"{undefined[1]}.{undefined[2]}", undefined[1], undefined[2]
    elif missing:
        name, (parent, _, last) = missing[1], missing[1].rpartition(".")
    else:
        return None
    try:
        lines = settings.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    quoted = re.compile(rf"""["']{re.escape(name)}["'.]""")
    number = next((n for n, line in enumerate(lines) if quoted.search(line)), None)
    if number is None:
        return None
    above = LIST.findall("\n".join(lines[: number + 1]))
    names = _names_in(parent, modules=not undefined)
    close = difflib.get_close_matches(last, names, 1)
    advice = DID_YOU_MEAN.format(name=f"{parent}.{close[0]}") if close else COMPARE_NAME
    where = f", in {above[-1]}" if above else ""
    return NameInSettings(number + 1, lines[number].strip(), where, advice)


def _names_in(parent: str, modules: bool) -> list[str]:
    """Return the names of a package's modules, or the names that a module defines."""
    if parent.partition(".")[0] not in LIBRARIES:  # a student's code must never be imported here
        return []
    with contextlib.suppress(Exception):
        if not modules:
            return dir(importlib.import_module(parent))
        spec = importlib.util.find_spec(parent)
        return [each.name for each in pkgutil.iter_modules(spec.submodule_search_locations)]  # type: ignore[union-attr]
    return []
