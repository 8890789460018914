"""The `lab` command group."""

import ast
import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from labkit.catalog import CatalogError
from labkit.processes.manage_py import DatabaseNotReady
from labkit.processes.output import protect_output
from labkit.processes.start import NotInstalled, StartFailed
from labkit.text_format import command_line

KNOWN_ERRORS = (CatalogError, DatabaseNotReady, NotInstalled, StartFailed)

NO_FOLDER = "The folder that you are in has been deleted. Change into another one: {line}"

# Name of a command -> its function, in the module of labkit.commands with the same name.
COMMANDS = {
    "check": "check_copy",
    "claims": "list_claims",
    "compare": "compare",
    "copy": "make_copy",
    "diff": "diff",
    "doctor": "doctor",
    "list": "list_labs",
    "reset": "reset",
    "run": "run",
    "serve": "serve",
}


class Labs(click.Group):
    """Commands that are imported when they are used; known errors end as one sentence.

    Importing all of them takes several times as long as starting a lab.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"labkit.commands.{cmd_name}")
        command: click.Command = getattr(module, COMMANDS[cmd_name])
        if command.help is None and command.callback:
            command.help = read_docstring(command.callback)
        return command

    def main(self, *args: Any, **kwargs: Any) -> Any:
        protect_output()
        return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            os.getcwd()
        except OSError:
            line = command_line("cd", str(Path.home()))
            raise click.ClickException(NO_FOLDER.format(line=line)) from None
        if home := os.environ.get("LAB_STATE_DIR"):  # a lab has another working directory
            os.environ["LAB_STATE_DIR"] = str(Path(home).expanduser().absolute())
        try:
            return super().invoke(ctx)
        except KNOWN_ERRORS as error:
            raise click.ClickException(str(error)) from None
        except OSError as error:
            if error.filename is None:
                raise
            raise click.ClickException(f"{error.filename}: {error.strerror}.") from None


def read_docstring(function: Callable[..., Any]) -> str | None:
    """Return a function's docstring from its file: with PYTHONOPTIMIZE=2 Python drops it."""
    source = Path(function.__code__.co_filename).read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name == function.__name__:
            return ast.get_docstring(node)
    return None


@click.group(cls=Labs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="labkit", prog_name="lab")
def main() -> None:
    """HTTP state in Django: cookies, sessions, and what tells them apart.

    Each lab is a Django project of its own under labs/. `lab list` names them.
    """


if main.help is None and main.callback:
    main.help = read_docstring(main.callback)

if __name__ == "__main__":
    main()
