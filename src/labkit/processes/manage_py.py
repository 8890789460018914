"""Run a lab's manage.py in a separate process."""

import os
import subprocess
import sys
from collections.abc import Mapping

from labkit.catalog import Lab

DATABASE_NOT_READY = "The database of lab {number} is not ready: "
CREATE_DATABASE = "Create it first, in the client: CREATE DATABASE the_name CHARACTER SET utf8mb4;"


class DatabaseNotReady(Exception):
    """A lab's database cannot be used; the message says why, often as manage.py's last line."""


def lab_environment() -> dict[str, str]:
    """Return this process's environment with the settings module of a lab."""
    return os.environ | {"DJANGO_SETTINGS_MODULE": "lab.settings"}


def run_manage_py(lab: Lab, environ: Mapping[str, str], *arguments: str) -> None:
    """Run manage.py with these arguments. Raise DatabaseNotReady if it fails."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(
        command, cwd=lab.folder, env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise DatabaseNotReady(DATABASE_NOT_READY.format(number=lab.number) + add_hint(last))


def add_hint(line: str) -> str:
    """Return this line of an error, with advice if the error is a known one."""
    if "1049" in line:  # ER_BAD_DB_ERROR
        return f"{line}. {CREATE_DATABASE}"
    return line
