"""`lab compare`."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table as Grid
from rich.text import Text

from labkit.catalog import catalog
from labkit.commands import compare_measure
from labkit.commands.options import (
    console,
    html_option,
    join_sources,
    progress_console,
    text_console,
    unwrapped,
)
from labkit.compare import html_page
from labkit.compare.html_page import verdict
from labkit.compare.table_runner import CellResult, TableResult, run_table
from labkit.comparison_tables import TESTS, Question, Table, Tables, Variant
from labkit.processes.parent_pipe import exit_on_signals
from labkit.render import standalone_page
from labkit.services.mariadb import PrivateMariaDB
from labkit.text_format import command_line

Piece = tuple[str, str]  # text and its style
QUESTION, ANSWER = 40, 18  # the minimum widths of these columns in a terminal
INDENT = 4


@click.command("compare")
@click.argument("name", metavar="[TABLE]", required=False)
@click.option(
    "--db",
    type=click.Choice(["sqlite", "mysql"]),
    default="sqlite",
    show_default=True,
    help="The database for labs that use one. mysql: a private MariaDB server.",
)
@click.option("--tests", is_flag=True, help="Show which test checks each answer.")
@html_option
@click.option("--measure", is_flag=True, help="Measure costs on real servers, and draw charts.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for the figures and charts of --measure. Default: .lab/compare.",
)
@click.option("--write", is_flag=True, help="Update docs/measured/README.md and its charts.")
def compare(
    name: str | None,
    db: str,
    tests: bool,
    html: Path | None,
    measure: bool,
    out: Path | None,
    write: bool,
) -> None:
    """Compare cookies, sessions and engines in a table of questions and tested answers.

    TABLE is carts, counts, wizard or engines. A test checks the answer in each cell. The exit
    status is 1 if a test finds a different answer. Without TABLE, the command lists all tables and
    the conclusions drawn from them.

    With --measure, the labs run on real servers for a minute or two. The command measures bytes,
    times, queries, rows, how many items fit, and lost updates. Ctrl-C stops the measurement. A page
    written with --html also shows the latest measurement.
    """
    tables = Tables(catalog())
    if write:
        compare_measure.write(tables.catalog.root, console)
        return
    printed = unwrapped(text_console)
    if name is None:
        if html or tests or measure:
            raise click.UsageError("Which table? " + ", ".join(t.id for t in tables.all) + ".")
        printed.print(overview(tables))
        return
    table = tables.find(name)
    if db == "mysql":
        PrivateMariaDB.check_installed()
    if measure:
        compare_measure.run(tables.catalog, table, db, out, console)
        if not html:  # an HTML page shows both the answers and the figures
            return
    exit_on_signals()
    result = _run_with_progress(tables, table, db)
    if html:
        standalone_page.write(html, html_page.html(tables, table, result), html_page.MADE_BY)
        click.echo(f"{html}: {verdict(table, result)} Open it in any browser, even offline.")
    else:
        for part in render_table(tables, table, result, tests, printed.width):
            printed.print(part, crop=False)
    sys.exit(0 if result.holds else 1)


def _run_with_progress(tables: Tables, table: Table, db: str) -> TableResult:
    """Run the tests of a table, with a progress bar."""
    bar = [TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn()]
    with Progress(*bar, console=progress_console, transient=True) as progress:
        count = sum(len(question.cells) for question in table.questions)
        task = progress.add_task(f"Asking {table.id}", total=count)

        def on_finished(test: str) -> None:
            name = test.rpartition("[")[2].rstrip("]").replace("_", " ")
            progress.update(task, advance=1, description=name)

        return run_table(tables.catalog, table, db, on_finished)


def overview(tables: Tables) -> Group:
    """Return the list of all tables, and the conclusions."""
    grid = Grid(box=None, pad_edge=False, show_header=False)
    for table in tables.all:
        grid.add_row(f"lab compare {table.id}", table.title, f"{len(table.questions)} questions")
    return Group(
        grid,
        Text("\nChoosing between cookies and sessions\n", style="bold"),
        *render_conclusions(tables),
    )


def render_conclusions(tables: Tables) -> Iterator[RenderableType]:
    """Yield the conclusions, each with the cells and charts that support it."""
    for conclusion in tables.conclusions:
        yield Text(conclusion.sentence)
        figures = [f"{figure} (measured)" for figure in conclusion.figures]
        cells = Text("  ".join([*conclusion.cells, *figures]), style="dim")
        yield Padding.indent(cells, INDENT)
        yield Text("")


def render_table(
    tables: Tables, table: Table, result: TableResult, tests: bool, width: int
) -> Iterator[RenderableType]:
    """Yield a table for a terminal, with the reasons for its answers as notes."""
    yield Text(table.title, style="bold")
    yield Text(f"{table.about}\n")
    notes: list[Text] = []
    wide = width >= QUESTION + ANSWER * len(table.variants)
    yield from (_columns if wide else _blocks)(table, result, notes)
    numbered = Grid.grid(padding=(0, 2))
    numbered.add_column(justify="right")
    numbered.add_column(overflow="fold")
    for at, note in enumerate(notes, 1):
        numbered.add_row(str(at), note)
    yield numbered
    yield Text("")
    if tests:
        for cell in result.cells:
            yield _unbroken(f"{cell.question}, {cell.variant}: {cell.test or 'no test'}")
    else:
        yield Text("To run the test of one answer:")
        for lab in map(tables.catalog.find, table.labs):
            file = (Path("labs", lab.folder.name) / TESTS).as_posix()
            words = ("pytest", file, "-m", "", "-k", table.questions[0].id)
            yield _unbroken(" " * INDENT + command_line(*words))
    for cell in result.cells:
        if not cell.holds:
            yield Text(f"{cell.question}, {cell.variant}: {cell.message}", style="red")
    yield from (Text(complaint, style="red") for complaint in result.complaints)
    yield Text(verdict(table, result))


def _unbroken(line: str) -> Group:
    """Return a line that stays one line, so that it can be copied from any terminal."""
    # Console.print() would ignore these options if it got the Text directly.
    return Group(Text(line, no_wrap=True, overflow="ignore"))


def _columns(table: Table, result: TableResult, notes: list[Text]) -> Iterator[Grid]:
    """Yield a grid with a column for each variant."""
    grid = Grid("", show_lines=True)
    for variant in table.variants:
        title = Text.assemble(variant.title, "\n", (f"lab {variant.lab}", "dim"))
        grid.add_column(title, overflow="fold")
    for question in table.questions:
        cells = [
            Text.assemble(
                _mark_wrong(result.cell(question.id, variant.id)),
                _add_note(question, variant, notes),
            )
            for variant in table.variants
        ]
        grid.add_row(Text.assemble(question.text, "\n", (question.id, "dim")), *cells)
    yield grid


def _blocks(table: Table, result: TableResult, notes: list[Text]) -> Iterator[RenderableType]:
    """Yield each question with its answers, and the variants that give each answer."""
    for question in table.questions:
        yield Text.assemble(question.text, " ", (question.id, "dim"))
        groups: dict[Piece, list[Text]] = {}
        for variant in table.variants:
            answer = _mark_wrong(result.cell(question.id, variant.id))
            mark = _add_note(question, variant, notes)
            groups.setdefault(answer, []).append(Text.assemble(variant.title, mark))
        for answer, variants in groups.items():
            line = Text.assemble(answer, ": ", Text(", ").join(variants))
            yield Padding.indent(line, INDENT)
        yield Text("")


def _mark_wrong(cell: CellResult) -> Piece:
    return (cell.shown, "") if cell.holds else (f"✗ {cell.shown}", "bold red")


def _add_note(question: Question, variant: Variant, notes: list[Text]) -> Piece:
    """Add the reason for a cell's answer to the notes; return the note's mark, if any."""
    cell = question.cells[variant.id]
    if not cell.why:
        return ("", "")
    notes.append(Text.assemble(f"{variant.title}: {cell.why} ", join_sources(cell.sources)))
    return (f" ({len(notes)})", "dim")
