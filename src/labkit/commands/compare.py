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
from labkit.commands import measurement
from labkit.compare import html_page
from labkit.compare.html_page import verdict
from labkit.compare.test_runner import CellResult, TableResult, run_table
from labkit.render import standalone
from labkit.services.mariadb import PrivateMariaDB
from labkit.tables import TESTS, Question, Table, Tables, Variant

console = Console(highlight=False)
QUESTION, ANSWER = 40, 18  # columns of a terminal that these take at least


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
@click.option(
    "--html", type=click.Path(path_type=Path), help="Write it as a page that opens offline."
)
@click.option("--measure", is_flag=True, help="Drive real servers, and draw what each one costs.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="With --measure: the folder for figures and charts. Default: .lab/compare.",
)
@click.option("--write", is_flag=True, help="Bring README.md up to date with docs/measured.")
def compare(
    name: str | None,
    db: str,
    tests: bool,
    html: Path | None,
    measure: bool,
    out: Path | None,
    write: bool,
) -> None:
    """What tells cookies, sessions and engines apart: questions, and answers that were just seen.

    TABLE is carts, counts, wizard or engines. Each of its cells is the answer of a test, which is
    run for it. Without a TABLE, all are named, and what follows from them is told. Exit status 1
    where a cell is not as the table says.

    With --measure the same labs are driven on real servers instead, for a minute or two: bytes,
    time, queries, rows, what fits, what tabs lose, what visitors leave. Ctrl-C ends it. A page of
    --html shows the last measurement as well.
    """
    tables = Tables(catalog())
    if write:
        measurement.write(tables.catalog.root, console)
        return
    # Into a file or a pipe no line is broken: a test's name is for copying.
    printed = console if console.is_terminal else Console(highlight=False, width=250)
    if name is None:
        if html or tests or measure:
            raise click.UsageError("Name the table: " + ", ".join(t.id for t in tables.all) + ".")
        printed.print(overview(tables))
        return
    table = tables.find(name)
    if db == "mysql":
        PrivateMariaDB.check_installed()
    if measure:
        measurement.run(tables.catalog, table, db, out, console)
        if not html:  # else a page with both
            return
    answers = _asked(tables, table, db)
    if html:
        standalone.write(html, html_page.html(tables, table, answers), html_page.MADE_BY)
        click.echo(f"{html}: {verdict(table, answers)} It opens in any browser, offline.")
    else:
        for part in shown(tables, table, answers, tests, printed.width):
            printed.print(part)
    sys.exit(0 if answers.holds else 1)


def _asked(tables: Tables, table: Table, db: str) -> TableResult:
    """Ask, with a line that says how far it is."""
    bar = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()]
    with Progress(*bar, console=console, transient=True) as progress:
        count = sum(len(row.cells) for row in table.questions)
        task = progress.add_task(f"Asking {table.id}", total=count)

        def step(test: str) -> None:
            doing = test.rpartition("[")[2].rstrip("]").replace("_", " ")
            progress.update(task, advance=1, description=doing)

        return run_table(tables.catalog, table, db, step)


def overview(tables: Tables) -> Group:
    """All tables by name, and the conclusions."""
    grid = Grid(box=None, pad_edge=False, show_header=False)
    for table in tables.all:
        grid.add_row(
            f"lab compare {table.id}", escape(table.title), f"{len(table.questions)} questions"
        )
    return Group(grid, Text("\nWhich one, then?\n", style="bold"), *concluded(tables))


def concluded(tables: Tables) -> Iterator[Text]:
    """The conclusions, each with the cells and charts that support it."""
    for conclusion in tables.conclusions:
        yield Text(conclusion.sentence)
        figures = [f"{figure} (measured)" for figure in conclusion.figures]
        yield Text(f"    {'  '.join([*conclusion.cells, *figures])}\n", style="dim")


def shown(
    tables: Tables, table: Table, answers: TableResult, tests: bool, width: int
) -> Iterator[Grid | Text]:
    """The table as a terminal shows it: questions and answers, then the notes on why."""
    yield Text(table.title, style="bold")
    yield Text(f"{table.about}\n")
    notes: list[str] = []
    wide = width >= QUESTION + ANSWER * len(table.variants)
    yield from _columns(table, answers, notes) if wide else _blocks(table, answers, notes)
    for at, note in enumerate(notes, 1):
        yield Text(f"{at:>3}  {note}")
    yield Text("")
    if tests:
        for seen in answers.cells:
            yield Text(f"{seen.question}, {seen.variant}: {seen.test or 'no test'}")
    else:
        for lab in map(tables.catalog.find, table.labs):
            file = (Path("labs", lab.folder.name) / TESTS).as_posix()
            yield Text(f"Each is a test: pytest {file} -m '' -k {table.questions[0].id}")
    for seen in answers.cells:
        if not seen.holds:
            yield Text(f"{seen.question}, {seen.variant}: {seen.message}", style="red")
    yield from (Text(complaint, style="red") for complaint in answers.complaints)
    yield Text(verdict(table, answers))


def _columns(table: Table, answers: TableResult, notes: list[str]) -> Iterator[Grid]:
    """One column for each variant."""
    grid = Grid("", show_lines=True)
    for variant in table.variants:
        grid.add_column(f"{escape(variant.title)}\n[dim]lab {variant.lab}[/]", overflow="fold")
    for row in table.questions:
        cells = [_cell(row, variant, answers, notes) for variant in table.variants]
        grid.add_row(f"{escape(row.text)}\n[dim]{row.id}[/]", *cells)
    yield grid


def _blocks(table: Table, answers: TableResult, notes: list[str]) -> Iterator[Text]:
    """Each question by itself, and below it who answers what: for many variants."""
    for row in table.questions:
        yield Text.assemble(row.text, " ", (row.id, "dim"))
        groups: dict[str, list[str]] = {}
        for variant in table.variants:
            seen = answers.cell(row.id, variant.id)
            mark = _noted(row, variant, notes)
            groups.setdefault(_told(seen), []).append(f"{variant.title}{mark}")
        for answer, who in groups.items():
            yield Text.from_markup(f"    {answer}: {', '.join(who)}")
        yield Text("")


def _cell(row: Question, variant: Variant, answers: TableResult, notes: list[str]) -> str:
    return f"{_told(answers.cell(row.id, variant.id))}{_noted(row, variant, notes)}"


def _told(seen: CellResult) -> str:
    return escape(seen.shown) if seen.holds else f"[bold red]✗ {escape(seen.shown)}[/]"


def _noted(row: Question, variant: Variant, notes: list[str]) -> str:
    """The mark of a note, which is put down; nothing for a cell without one."""
    if not (why := row.cells[variant.id].why):
        return ""
    notes.append(f"{variant.title}: {why}")
    return f" [dim]({len(notes)})[/]"
