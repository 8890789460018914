"""URLs that every lab has, and the ports of the labs that `lab serve` runs alongside this one."""

import os
import re
from collections.abc import Iterable

# URLs of the panel's pages; the last one exists only under `lab serve`.
HANDOUT, CODE, ALL_LABS = "/__lab__/handout/", "/__lab__/code/", "/__lab__/labs/"
VARIABLE = "LAB_CONSOLE"  # an environment variable with a value such as "8000:03,04"


def to_environment(console_port: int, numbers: Iterable[str]) -> dict[str, str]:
    """Return the environment variable that contains the console's port and these labs' numbers."""
    return {VARIABLE: f"{console_port}:{','.join(numbers)}"}


def console_port() -> int | None:
    """Return the console's port, or None if `lab serve` did not start this lab."""
    found = _read()
    return int(found[1]) if found else None


def lab_port(number: str) -> int | None:
    """Return the port of the lab with this number, or None if it is not running."""
    found = _read()
    return int(found[1]) + int(number) if found and number in found[2].split(",") else None


def _read() -> re.Match[str] | None:
    return re.fullmatch(r"([0-9]{1,5}):((?:[0-9]{2},?)*)", os.environ.get(VARIABLE, ""))
