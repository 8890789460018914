"""The `lab` command group."""

from importlib import import_module
from typing import Any

import click

from labkit.catalog import CatalogError
from labkit.processes.manage_py import DatabaseNotReady
from labkit.processes.start import NotInstalled, StartFailed

KNOWN_ERRORS = (CatalogError, DatabaseNotReady, NotInstalled, StartFailed)

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
        return getattr(import_module(f"labkit.commands.{cmd_name}"), COMMANDS[cmd_name])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KNOWN_ERRORS as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=Labs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="labkit", prog_name="lab")
def main() -> None:
    """HTTP state in Django: cookies, sessions, and what tells them apart.

    Each lab is a Django project of its own under labs/. `lab list` names them.
    """


if __name__ == "__main__":
    main()
