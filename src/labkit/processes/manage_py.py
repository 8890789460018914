"""Run a lab's manage.py in a separate process."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from labkit import environment
from labkit.catalog import Lab, state_path

DAMAGED = "{line}. The file {path} is damaged. To replace it with an empty one: lab reset {number}"
USE_SQLITE = (
    "{line}. (DATABASE_URL is {url}. `lab run` and `lab serve` ignore it with --db sqlite.)"
)
DAMAGED_SQLITE = ("file is not a database", "database disk image is malformed")
DATABASE_NOT_READY = "The database of lab {number} is not ready: "
SECONDS = 120  # the time limit for one manage.py command
NEVER_ENDED = "manage.py {command} did not end within {seconds:g} seconds{place}."
CREATE_DATABASE = "Create it first, in the client: CREATE DATABASE the_name CHARACTER SET utf8mb4;"


class DatabaseNotReady(Exception):
    """A lab's database is not usable; the message is often the last line of manage.py's output."""


def lab_environment() -> dict[str, str]:
    """Return this process's environment with the settings module of a lab.

    LAB_STATE_DIR is made absolute, because a lab's process has another working directory.
    """
    environ = os.environ | {"DJANGO_SETTINGS_MODULE": "lab.settings"}
    if environ.get("LAB_STATE_DIR"):
        environ["LAB_STATE_DIR"] = os.path.abspath(environ["LAB_STATE_DIR"])
    return environ


def run_manage_py(
    lab: Lab, environ: Mapping[str, str], *arguments: str, seconds: float = SECONDS
) -> None:
    """Run manage.py with these arguments. Raise DatabaseNotReady if it fails.

    The process has no terminal. seconds: the time limit, since a copy's code may run forever.
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
        except BaseException:  # including Ctrl-C
            process.kill()
            raise
    if process.returncode:
        last = (errors.strip().splitlines() or ["no reason given"])[-1]
        hint = add_hint(last, lab, environ)
        raise DatabaseNotReady(DATABASE_NOT_READY.format(number=lab.number) + hint)


def _interrupt(process: "subprocess.Popen[str]", folder: Path) -> str:
    """Kill a process; return the line of code in this folder that it was executing.

    The result has the form ": lab/views.py, line 3"; it is "" if the line is unknown.
    """
    stack = ""
    with contextlib.suppress(ValueError, subprocess.TimeoutExpired):  # Windows has no SIGABRT
        process.send_signal(signal.SIGABRT)  # this makes faulthandler print the stack
        stack = process.communicate(timeout=5)[1]
    process.kill()
    for path, line in re.findall(r'File "(.+)", line (\d+) in ', stack):
        if Path(path).is_relative_to(folder):
            return f": {Path(path).relative_to(folder).as_posix()}, line {line}"
    return ""


def add_hint(line: str, lab: Lab, environ: Mapping[str, str]) -> str:
    """Return this line of a lab's error output, with advice if the error is known."""
    line, url = line.removesuffix("."), environment.database_url(environ)
    if "1049" in line:  # ER_BAD_DB_ERROR
        return f"{line}. {CREATE_DATABASE}"
    if not url and any(text in line for text in DAMAGED_SQLITE):
        path = state_path(lab.folder) / "db.sqlite3"
        return DAMAGED.format(line=line, path=path, number=lab.number)
    if url and url == environment.database_url():
        return USE_SQLITE.format(line=line, url=environment.describe_url(url))
    return line
