"""`lab copy`: make a copy of a lab that you can change."""

from pathlib import Path

import click

from labkit.catalog import catalog, state_path
from labkit.practice.copies import copy
from labkit.text_format import command_line


@click.command("copy")
@click.argument("name", metavar="LAB")
@click.argument("target", metavar="FOLDER", type=click.Path(path_type=Path))
def make_copy(name: str, target: Path) -> None:
    """Copy a lab into a new FOLDER that you can change as you like.

    The copy runs alongside the original. It has its own cookies, state and port.
    """
    checkout = catalog()
    lab = checkout.find(name)
    made = copy(checkout, lab, target)
    here, state = Path.cwd(), state_path(made.folder)
    state = state.relative_to(here) if state.is_relative_to(here) else state
    click.echo(f"{target} is your copy of lab {lab.number}. The names of its cookies end in")
    click.echo(f"_{made.number}, and its data is stored in {state}.\n")
    shown = target.as_posix().rstrip("/") + "/"
    shown = f"./{shown}" if shown.startswith("-") else shown  # not an option
    wanted = lab.twin or lab.number
    for words, remark in (
        (("run", shown), f"at http://127.0.0.1:{made.port}/, alongside the original"),
        (("diff", lab.number, shown), "what you have changed"),
        (
            ("check", shown, "--as", wanted),
            f"check whether it does what lab {wanted} does",
        ),
    ):
        click.echo(f"    {command_line('lab', *words)}    {remark}")
