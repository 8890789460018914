"""Options and output that several `lab` commands share."""

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

NARROWEST = 80  # columns for which tables are laid out; a narrower terminal breaks their lines


# Titles, names and messages may have brackets and colons in them, so nothing is read as markup.
# Styles are those of rich.text.Text.
LITERAL: dict[str, Any] = {"highlight": False, "markup": False, "emoji": False}


class OutputConsole(Console):
    """Lays text out for the terminal, but never so narrow that addresses and commands are cut."""

    @property  # type: ignore[misc]  # Console lets it be set, which no command does
    def size(self) -> ConsoleDimensions:
        """Columns and lines."""
        width, height = super().size
        return ConsoleDimensions(max(NARROWEST, width), height)


console = OutputConsole(**LITERAL)
progress_console = Console(**LITERAL)  # a progress bar must fit into one line

ENGINE_UNKNOWN = (
    "SESSION_ENGINE names {engine}, which is not one of Django's session engines. It does not "
    "count: the engine is db."
)
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


def engine_option(subject: str) -> Any:
    """Return the option `--engine`; `subject` opens its help."""
    text = f"{subject} Default: in what SESSION_ENGINE names, else db."
    return click.option("--engine", type=click.Choice(ENGINES), help=text)


html_option = click.option(
    "--html", type=click.Path(path_type=Path), help="Write it as a page that opens offline."
)


def unwrapped(console: Console) -> Console:
    """Return the console, or one that wraps no lines if they go to a file or pipe."""
    return console if console.is_terminal else Console(**LITERAL, width=250)


def join_sources(sources: Iterable[Source]) -> Text:
    """Return the titles of these sources in parentheses; a terminal with links links them."""
    titles = [Text(source.title, f"dim link {source.url}") for source in sources]
    return Text.assemble(("(", "dim"), Text("; ", "dim").join(titles), (")", "dim"))


def engine_path(engine: str) -> str:
    """Return the SESSION_ENGINE setting for one of ENGINES."""
    return BACKENDS + engine


def print_unknown_engine() -> None:
    """Say so if SESSION_ENGINE, perhaps another project's, names an engine that is not Django's."""
    if engine := environment.unknown_engine():
        console.print(ENGINE_UNKNOWN.format(engine=engine), soft_wrap=True)


def use_colour() -> bool:
    """Return whether to print colours: to a terminal, unless https://no-color.org says no."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not plain
