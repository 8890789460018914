"""Run a lab's manage.py in a separate process."""

import os
import subprocess
import sys
from collections.abc import Mapping

from labkit.catalog import Lab


class NotReady(Exception):
    """A lab's manage.py failed; the message is one sentence that ends with its last line."""


def own_environment() -> dict[str, str]:
    """This process's environment, without another project's settings module."""
    return os.environ | {"DJANGO_SETTINGS_MODULE": "lab.settings"}


def manage(lab: Lab, environ: Mapping[str, str], *arguments: str) -> None:
    """Run manage.py with these arguments. Raises NotReady where it fails."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(
        command, cwd=lab.folder, env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise NotReady(f"The database of lab {lab.number} is not ready: {hinted(last)}")


def hinted(line: str) -> str:
    """This line of an error, with what to do about it where that is known."""
    if "1049" in line:  # ER_BAD_DB_ERROR
        return (
            f"{line}. Create it first, in the client: "
            "CREATE DATABASE the_name CHARACTER SET utf8mb4;"
        )
    return line
