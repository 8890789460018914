"""Format counts and durations in English, and quote commands for a shell."""

import os
import re
import shlex
import sys
from collections.abc import Sequence
from enum import Enum
from itertools import pairwise

_UNITS = [("week", 604800), ("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)]


def quantity(count: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun, such as "1 row" or "2 entries".

    `plural`: the plural of the noun; by default, the noun with an s.
    """
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def quantities(**counts: int) -> str:
    """Return the nonzero counts, such as "1 row, 2 entries", or "nothing" if all are 0.

    The name of each argument is a singular noun.
    """
    plurals = {"entry": "entries", "cache entry": "cache entries"}
    present = [quantity(n, noun, plurals.get(noun, "")) for noun, n in counts.items() if n]
    return ", ".join(present) or "nothing"


def and_more(count: int) -> str:
    """Return " and 2 more" for a count of 3, if only the first item is shown; "" for 1 or 0."""
    return f" and {count - 1} more" if count > 1 else ""


def either(names: Sequence[str]) -> str:
    """Return one or more names as alternatives, such as "03, 04 or 05"."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def duration(seconds: int) -> str:
    """Return a duration in its two largest units, such as "14 days" or "1 minute 40 seconds".

    The duration is rounded down. A negative duration gives "0 seconds".
    """
    for (unit, size), (smaller, fraction) in pairwise(_UNITS[1:]):
        if seconds >= size:
            count, rest = divmod(seconds, size)
            rest //= fraction
            whole = quantity(count, unit)
            return f"{whole} {quantity(rest, smaller)}" if rest else whole
    return quantity(max(seconds, 0), "second")


def exact_duration(seconds: int) -> str:
    """Return an exact duration, such as "1 day, 2 minutes", or "" for 0 seconds."""
    words = []
    for unit, size in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            words.append(quantity(count, unit))
    return ", ".join(words)


def remaining(left: float, whole: float) -> str:
    """Return the remaining and the total time in the same unit, such as "3 of 14 days"."""
    units = [(86400, "days"), (3600, "hours"), (1, "seconds")]
    size, unit = next((s, u) for s, u in units if whole >= 2 * s or s == 1)
    return f"{left / size:.0f} of {whole / size:.0f} {unit}"


class Shell(Enum):
    """The kinds of shell, which have different rules for quoting."""

    POSIX = "sh, bash, zsh"
    POWERSHELL = "PowerShell"
    CMD = "cmd.exe"


def current_shell() -> Shell:
    """Return the shell that probably started this process, judging by its environment.

    cmd.exe sets PROMPT, and Git Bash sets SHELL. On Windows, PowerShell's variable PSModulePath is
    set for every process.
    """
    if "SHELL" in os.environ and sys.platform == "win32":
        return Shell.POSIX
    if sys.platform == "win32" and "PROMPT" in os.environ:
        return Shell.CMD
    return Shell.POWERSHELL if "PSModulePath" in os.environ else Shell.POSIX


def command_line(*words: str, shell: Shell | None = None) -> str:
    """Return words as a line to copy into a shell, and quote those that need it.

    The first word is the program; `shell` is the current one by default.
    https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_quoting_rules
    """
    shell = shell or current_shell()
    if shell is Shell.POSIX:
        return shlex.join(words)
    quote = _quote_for_powershell if shell is Shell.POWERSHELL else _quote_for_cmd
    line = " ".join(map(quote, words))
    # Without &, PowerShell prints a quoted program name instead of running the program.
    return f"& {line}" if line.startswith("'") else line


def _quote_for_powershell(word: str) -> str:
    is_plain = re.fullmatch(r"[\w./\\:=+-]+", word, re.ASCII)
    if is_plain and not re.match("-.*[.:]", word):  # PowerShell would split such an option in two
        return word
    # A single one of these characters would end the string.
    return "'" + re.sub("(['‘’‚‛])", r"\1\1", word) + "'"


def _quote_for_cmd(word: str) -> str:
    if re.fullmatch(r"[\w./\\:+'-]+", word, re.ASCII):
        return word
    # Programs read \" as a quotation mark, so a backslash at the end is doubled.
    return '"' + re.sub(r"(\\+)$", r"\1\1", word) + '"'
