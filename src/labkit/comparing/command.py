"""`lab compare`."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console, Group
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table as Grid
from rich.text import Text

from labkit.catalog import catalog
from labkit.comparing import reporting
from labkit.comparing.asking import Answers, ask
from labkit.comparing.table import Table, Tables

console = Console(highlight=False)


@click.command("compare", short_help="What tells cookies, sessions and engines apart.")
@click.argument("name", metavar="[TABLE]", required=False)
@click.option(
    "--db",
    type=click.Choice(["sqlite", "mysql"]),
    default="sqlite",
    show_default=True,
    help="The database of those that have one; mysql is a private MariaDB.",
)
@click.option("--tests", is_flag=True, help="Name the test behind each cell.")
@click.option("--measure", is_flag=True, help="Drive real servers, and draw what each one costs.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="With --measure: the folder for figures and charts. Default: .lab/compare.",
)
@click.option("--write", is_flag=True, help="Bring README.md up to date with docs/measured.")
def compare(
    name: str | None, db: str, tests: bool, measure: bool, out: Path | None, write: bool
) -> None:
    """What tells cookies, sessions and engines apart: questions, and answers that were just seen.

    TABLE is carts, counts, wizard or engines. Each of its cells is the answer of a test, which is
    run for it. Without a TABLE, all are named, and what follows from them is told. Exit status 1
    where a cell is not as the table says.

    With --measure the same labs are driven on real servers instead, for a minute or two: bytes,
    time, queries, rows, what fits, what tabs lose, what visitors leave. Ctrl-C ends it.
    """
    tables = Tables(catalog())
    if write:
        reporting.write(tables.catalog.root, console)
        return
    if name is None:
        if measure:
            raise click.UsageError("--measure goes with one TABLE, such as carts.")
        console.print(overview(tables))
        return
    table = tables.find(name)
    if measure:
        reporting.run(tables.catalog, table, db, out, console)
        return
    answers = _asked(tables, table, db)
    for part in shown(table, answers, tests):
        console.print(part)
    sys.exit(0 if answers.holds else 1)


def _asked(tables: Tables, table: Table, db: str) -> Answers:
    """Ask, with a line that says how far it is."""
    bar = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()]
    with Progress(*bar, console=console, transient=True) as progress:
        count = sum(len(row.cells) for row in table.rows)
        task = progress.add_task(f"Asking {table.id}", total=count)

        def step(test: str) -> None:
            doing = test.rpartition("[")[2].rstrip("]").replace("_", " ")
            progress.update(task, advance=1, description=doing)

        return ask(tables.catalog, table, db, step)


def overview(tables: Tables) -> Group:
    """All tables by name, and the conclusions."""
    grid = Grid(box=None, pad_edge=False, show_header=False)
    for table in tables.all:
        grid.add_row(f"lab compare {table.id}", escape(table.title), f"{len(table.rows)} questions")
    told = [Text("\nWhich one, then?\n", style="bold")] if tables.conclusions else []
    for conclusion in tables.conclusions:
        told += [Text(conclusion.sentence), Text(f"  {', '.join(conclusion.cells)}\n", "dim")]
    return Group(grid, *told)


def shown(table: Table, answers: Answers, tests: bool) -> Iterator[Group | Grid | Text]:
    """The table as a terminal shows it: questions and answers, then the notes on why."""
    grid = Grid("", title=None, caption=None, show_lines=True)
    for variant in table.variants:
        grid.add_column(f"{variant.title}\n[dim]lab {variant.lab}[/]", overflow="fold")
    notes: list[str] = []
    for row in table.rows:
        cells = []
        for variant in table.variants:
            seen = answers.cell(row.id, variant.id)
            mark = ""
            if why := row.cells[variant.id].why:
                notes.append(f"{variant.title}: {why}")
                mark = f" [dim]{len(notes)}[/]"
            style = "" if seen.holds else "[bold red]✗ "
            cells.append(f"{style}{escape(seen.shown)}{'[/]' if style else ''}{mark}")
        grid.add_row(f"{escape(row.text)}\n[dim]{row.id}[/]", *cells)
    yield Text(f"{table.title}\n{table.about}")
    yield grid
    for number, note in enumerate(notes, 1):
        yield Text(f"{number:>3}  {note}")
    yield Text("")
    if tests:
        for seen in answers.cells:
            yield Text(f"{seen.row}, {seen.variant}: {seen.test or seen.message}", no_wrap=False)
    yield Text(answers.stamp)
