"""Runs a lab's manage.py in a process of its own, and what the commands that start labs share."""

import os
import subprocess
import sys
from collections.abc import Mapping

import click

from labkit.catalog import Lab

# Django's, https://docs.djangoproject.com/en/5.2/topics/http/sessions/#configuring-the-session-engine
ENGINES = ["db", "cached_db", "cache", "file", "signed_cookies"]

_DB = (
    "Where sessions are kept. mysql: in what DATABASE_URL names, else in a private MariaDB. "
    "Default: in what DATABASE_URL names, else sqlite."
)
db_option = click.option("--db", type=click.Choice(["sqlite", "mysql"]), help=_DB)
db_or_cluster_option = click.option(
    "--db",
    type=click.Choice(["sqlite", "mysql", "galera"]),
    help=f"{_DB} galera: in a private cluster of three MariaDB nodes, thrown away at the end.",
)


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
