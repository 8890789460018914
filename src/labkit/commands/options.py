"""Options and output functions shared by several `lab` commands."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from rich.console import Console, ConsoleDimensions
from rich.text import Text

from labkit import environment
from labkit.environment import BACKENDS, ENGINES
from labkit.sources import Source

NARROWEST = 80  # columns; tables are never narrower


# Titles, names and messages may contain brackets and colons, which are not markup.
LITERAL: dict[str, Any] = {"highlight": False, "markup": False, "emoji": False}


class OutputConsole(Console):
    """A console whose layout is wide enough for URLs and commands, even in a narrow terminal."""

    @property  # type: ignore[misc]  # in Console, this property has a setter
    def size(self) -> ConsoleDimensions:
        """The number of columns and lines to use."""
        width, height = super().size
        return ConsoleDimensions(max(NARROWEST, width), height)


console = OutputConsole(**LITERAL)
text_console = Console(**LITERAL)  # as wide as the terminal, even if that is narrow
progress_console = Console(**LITERAL)  # a progress bar has to fit on one line

ENGINE_UNKNOWN = (
    "SESSION_ENGINE is set to {engine}, which is not one of Django's session engines. The variable "
    "is ignored, and the engine is db."
)
_DB = (
    "The database for sessions. mysql: the database that DATABASE_URL names, or a private MariaDB "
    "server. Default: the database that DATABASE_URL names, or sqlite."
)
db_option = click.option("--db", type=click.Choice(["sqlite", "mysql"]), help=_DB)
db_or_cluster_option = click.option(
    "--db",
    type=click.Choice(["sqlite", "mysql", "galera"]),
    help=f"{_DB} galera: a temporary private cluster of three MariaDB nodes.",
)


def engine_option(subject: str) -> Any:
    """Return the option `--engine`; its help begins with `subject`."""
    text = f"{subject} Default: the engine that SESSION_ENGINE names, or db."
    return click.option("--engine", type=click.Choice(ENGINES), help=text)


html_option = click.option(
    "--html",
    type=click.Path(path_type=Path),
    help="Write an HTML page to this file instead. You can open the page offline.",
)


def unwrapped(console: Console) -> Console:
    """Return this console, or one that does not wrap lines if the output is a file or pipe.

    The variable COLUMNS, if it is set, is the width of files and pipes, too.
    """
    has_width = console.is_terminal or os.environ.get("COLUMNS", "").isdigit()
    return console if has_width else Console(**LITERAL, width=250)


def join_sources(sources: Iterable[Source]) -> Text:
    """Return the titles of these sources in parentheses, as links if the terminal has links."""
    titles = [Text(source.title, f"dim link {source.url}") for source in sources]
    return Text.assemble(("(", "dim"), Text("; ", "dim").join(titles), (")", "dim"))


def engine_path(engine: str) -> str:
    """Return the SESSION_ENGINE setting for one of ENGINES."""
    return BACKENDS + engine


def print_unknown_engine() -> None:
    """Print a warning if SESSION_ENGINE names an engine that is not one of Django's."""
    if engine := environment.unknown_engine():
        console.print(ENGINE_UNKNOWN.format(engine=engine), soft_wrap=True)


def use_colour() -> bool:
    """Return whether to print in colour: in a terminal without NO_COLOR (https://no-color.org)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not plain
