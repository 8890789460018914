"""The `lab` command, a group of subcommands."""

import ast
import inspect
import os
import platform
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, NamedTuple

try:
    import click
except ModuleNotFoundError:  # installed with the extra `testing` only
    sys.exit(
        "The command lab needs the extra labs, and a checkout of the project. In the checkout: "
        "pip install -e '.[labs]'"
    )
from click.shell_completion import CompletionItem

from labkit import DISTRIBUTION
from labkit.catalog import CatalogError
from labkit.processes.manage_py import DatabaseNotReady
from labkit.processes.output import protect_output
from labkit.processes.start import NotInstalled, StartFailed
from labkit.text_format import command_line

KNOWN_ERRORS = (CatalogError, DatabaseNotReady, NotInstalled, StartFailed)

VERSIONS = "lab {lab}, Django {django}, Python {python}"
NO_FOLDER = "The current folder has been deleted. Change to another one: {line}"


class Entry(NamedTuple):
    """A command: its help text, and its function in the labkit.commands module of the same name."""

    function: str
    # The help is stored here, so that commands can be listed without importing them.
    short_help: str


COMMANDS = {
    "check": Entry("check_copy", "Check a copy of a lab, and say what to do next."),
    "claims": Entry("list_claims", "List textbook claims, and what actually happens."),
    "compare": Entry(
        "compare", "Compare cookies, sessions and engines in tables of tested answers."
    ),
    "cookie": Entry("cookie", "Explain a Set-Cookie header, and what browsers do with it."),
    "copy": Entry("make_copy", "Make a copy of a lab that you can change."),
    "diff": Entry("diff", "Show how two labs differ, and why."),
    "doctor": Entry("doctor", "Show what is missing on this machine, and how to install it."),
    "hint": Entry("hint", "Show the next hint of an exercise."),
    "list": Entry("list_labs", "List the labs, or the textbook versions of one lab."),
    "new": Entry("new_lab", "Make a new lab for this project from an existing one."),
    "practice": Entry("practice", "List the exercises, and start one."),
    "record": Entry("record", "Turn a visit to a running lab into a test."),
    "reset": Entry("reset", "Delete everything that a lab has stored on the server."),
    "run": Entry("run", "Run one lab."),
    "serve": Entry("serve", "Run all labs and the console, for a class."),
    "solution": Entry("solution", "Show a solution to an exercise, and explain it."),
}


class Labs(click.Group):
    """A command group that imports commands when they are used and prints known errors briefly.

    Importing all commands would take several times as long as starting a lab.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"labkit.commands.{cmd_name}")
        command: click.Command = getattr(module, COMMANDS[cmd_name].function)
        if command.help is None and command.callback:
            command.help = read_docstring(command.callback)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].short_help) for name in sorted(COMMANDS)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        commands = [
            CompletionItem(name, help=COMMANDS[name].short_help)
            for name in sorted(COMMANDS)
            if name.startswith(incomplete)
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if ctx.resilient_parsing and args[0] in COMMANDS:  # the shell requests completions
            completion = import_module("labkit.commands.completion")
            load = partial(self.get_command, ctx, args[0])
            return args[0], completion.quick_command(args[0], load, args[1:]), args[1:]
        return super().resolve_command(ctx, args)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        protect_output()
        if "_LAB_COMPLETE" in os.environ:
            import_module("labkit.commands.completion")
        return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            os.getcwd()
        except OSError:
            line = command_line("cd", str(Path.home()))
            raise click.ClickException(NO_FOLDER.format(line=line)) from None
        if home := os.environ.get("LAB_STATE_DIR"):  # it may be relative
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
    """Read a function's docstring from the source, since PYTHONOPTIMIZE=2 removes docstrings."""
    function = inspect.unwrap(function)  # this removes decorators such as click.pass_context
    source = Path(function.__code__.co_filename).read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name == function.__name__:
            return ast.get_docstring(node)
    return None


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print the versions to name in a bug report, without importing Django."""
    if wanted and not ctx.resilient_parsing:
        lab, django = metadata.version(DISTRIBUTION), metadata.version("Django")
        click.echo(VERSIONS.format(lab=lab, django=django, python=platform.python_version()))
        ctx.exit()


@click.group(cls=Labs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the versions of lab, Django and Python, and exit.",
)
def main() -> None:
    """Learn how Django remembers visitors, with cookies and with sessions.

    Each lab is a separate Django project in labs/. `lab list` shows them all.
    """


if main.help is None and main.callback:
    main.help = read_docstring(main.callback)

if __name__ == "__main__":
    main()
