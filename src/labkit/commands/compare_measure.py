"""Measure a table, write figures and charts, and update their page."""

from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table as Grid

from labkit.catalog import Catalog, writable
from labkit.commands.options import progress_console
from labkit.comparison_tables import Table
from labkit.kept_files import write_whole
from labkit.measure import report, results
from labkit.measure.meter import WHOLE, Amount, measure
from labkit.measure.workloads import WorkloadError
from labkit.processes.parent_pipe import exit_on_signals
from labkit.processes.start import NotInstalled
from labkit.text_format import command_line


def run(
    checkout: Catalog,
    table: Table,
    db: str,
    out: Path | None,
    console: Console,
    amount: Amount = WHOLE,
) -> None:
    """Measure a table, print the figures, write TABLE-DB.json, and draw the table's charts.

    Raises NotInstalled, StartFailed, and ClickException if a server failed its workload.
    """
    words = ["lab", "compare", table.id, "--measure"]
    words += ["--db", "mysql"] if db == "mysql" else []
    words += ["--out", out.as_posix()] if out else []
    command = command_line(*words)
    exit_on_signals()
    columns = [TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn()]
    with Progress(*columns, console=progress_console, transient=True) as progress:
        task = progress.add_task("", total=1.0)

        def report_progress(step: str, part: float) -> None:
            progress.update(task, description=step, completed=part)

        try:
            found = measure(checkout, table, db, report_progress, amount)
        except (WorkloadError, OSError, ValueError, TimeoutError) as error:
            raise click.ClickException(f"The measurement failed: {error}.") from None
    path = (out or writable(checkout.state / report.HOME)) / f"{table.id}-{db}.json"
    results.write(path, results.stamp(command, db), found)
    content = results.read(path)
    console.print(in_terminal(content["figures"]))
    console.print(results.describe(content["stamp"]), soft_wrap=True)
    console.print(f"Figures: {path}", soft_wrap=True)
    _draw(path.parent, table.id, console)


def _draw(folder: Path, table: str, console: Console) -> None:
    try:
        drawn = report.draw(folder, table)
    except NotInstalled as missing:
        console.print(f"No charts: {missing}", soft_wrap=True)
    else:
        console.print(f"Charts: {len(drawn)} files {table}-*.svg in {folder}.", soft_wrap=True)


def in_terminal(found: report.Figures) -> Grid:
    """Return the figures as a table for a terminal."""
    grid = Grid(show_lines=True)
    grid.add_column("", overflow="fold", min_width=24)
    for variant in found["variants"].values():
        grid.add_column(variant["title"], overflow="fold")
    for line in report.lines(found):
        grid.add_row(line.label, *line.cells)
    return grid


def write(root: Path, console: Console) -> None:
    """Update docs/measured/README.md and the charts from the figures in that folder.

    Raises ClickException if a file is missing or malformed.
    """
    path = root / report.PAGE
    try:
        text = report.measured_page(root)
        tables = {
            file.stem.rpartition("-")[0] for file in (root / report.MEASURED).glob("*-*.json")
        }
        for table in sorted(tables):
            _draw(root / report.MEASURED, table, console)
    except (FileNotFoundError, ValueError) as error:
        raise click.ClickException(str(error)) from None
    if text != path.read_text(encoding="utf-8"):
        write_whole(path, text)
    console.print(f"{report.PAGE.as_posix()} is up to date.")
