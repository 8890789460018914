"""Run a lab's manage.py in a separate process."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from labkit.catalog import Lab

DATABASE_NOT_READY = "The database of lab {number} is not ready: "
SECONDS = 120  # for one command
NEVER_ENDED = "manage.py {command} did not end within {seconds:g} seconds{place}."
CREATE_DATABASE = "Create it first, in the client: CREATE DATABASE the_name CHARACTER SET utf8mb4;"


class DatabaseNotReady(Exception):
    """A lab's database cannot be used; the message says why, often as manage.py's last line."""


def lab_environment() -> dict[str, str]:
    """Return this process's environment with the settings module of a lab."""
    return os.environ | {"DJANGO_SETTINGS_MODULE": "lab.settings"}


def run_manage_py(
    lab: Lab, environ: Mapping[str, str], *arguments: str, seconds: float = SECONDS
) -> None:
    """Run manage.py with these arguments, without a terminal. Raise DatabaseNotReady if it fails.

    seconds: the time limit. A copy's code may not come to an end.
    """
    process = subprocess.Popen(
        [sys.executable, "-X", "faulthandler", "manage.py", *arguments],
        cwd=lab.folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    with process:
        try:
            errors = process.communicate(timeout=seconds)[1]
        except subprocess.TimeoutExpired:
            place = _interrupt(process, lab.folder)
            reason = NEVER_ENDED.format(command=arguments[0], seconds=seconds, place=place)
            raise DatabaseNotReady(DATABASE_NOT_READY.format(number=lab.number) + reason) from None
        except BaseException:  # Ctrl-C
            process.kill()
            raise
    if process.returncode:
        last = (errors.strip().splitlines() or ["no reason given"])[-1]
        raise DatabaseNotReady(DATABASE_NOT_READY.format(number=lab.number) + add_hint(last))


def _interrupt(process: "subprocess.Popen[str]", folder: Path) -> str:
    """Kill a process, and return where in this folder it was: ": lab/views.py, line 3", or ""."""
    stack = ""
    with contextlib.suppress(ValueError, subprocess.TimeoutExpired):  # Windows has none
        process.send_signal(signal.SIGABRT)  # faulthandler prints where it is
        stack = process.communicate(timeout=5)[1]
    process.kill()
    for path, line in re.findall(r'File "(.+)", line (\d+) in ', stack):
        if Path(path).is_relative_to(folder):
            return f": {Path(path).relative_to(folder).as_posix()}, line {line}"
    return ""


def add_hint(line: str) -> str:
    """Return this line of an error, with advice if the error is a known one."""
    if "1049" in line:  # ER_BAD_DB_ERROR
        return f"{line}. {CREATE_DATABASE}"
    return line
