"""The `lab` command group."""

from typing import Any

import click

from labkit.catalog import CatalogError
from labkit.commands.check import check_copy
from labkit.commands.claims import list_claims
from labkit.commands.compare import compare
from labkit.commands.copy import make_copy
from labkit.commands.diff import diff
from labkit.commands.doctor import doctor
from labkit.commands.list import list_labs
from labkit.commands.reset import reset
from labkit.commands.run import run
from labkit.commands.serve import serve
from labkit.processes.manage_py import DatabaseNotReady
from labkit.processes.start import NotInstalled, StartFailed


class Labs(click.Group):
    """Known troubles end as one sentence and exit status 1, never as a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (CatalogError, NotInstalled, StartFailed, DatabaseNotReady) as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=Labs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="labkit", prog_name="lab")
def main() -> None:
    """HTTP state in Django: cookies, sessions, and what tells them apart.

    Each lab is a Django project of its own under labs/. `lab list` names them.
    """


for command in (
    list_labs,
    run,
    serve,
    diff,
    compare,
    make_copy,
    check_copy,
    list_claims,
    reset,
    doctor,
):
    main.add_command(command)


if __name__ == "__main__":
    main()
