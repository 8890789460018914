"""Show the results of all benchmarks in one table, from their JSON files.

python bench/report.py             print the results of the last run, in .lab/bench/
python bench/report.py --write     update docs/measured/README.md and its charts
python bench/report.py --check     exit with status 1 if that page is out of date
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import common
import start
from burst import GUNICORN_AIM, best_gunicorn
from cost import AIM as COST
from cost import LEAST, beyond_aim, by_lab
from growth import AIM as GROWTH
from growth import WAYS
from panel import AIM as PANEL
from rich.table import Table
from visitor import AIM as VISITOR
from watch import AIM as WATCH

from labkit.measure import charts as drawing
from labkit.measure import results as keeping

MEASURED = common.ROOT / "docs" / "measured"
PAGE = MEASURED / "README.md"
BEGIN = "<!-- By `python bench/report.py --write`. -->\n"
END = "<!-- End of `python bench/report.py --write`. -->\n"
BURST = "all answered; 99th percentile below 1 s"
COMMAND = "python bench --out docs/measured"
SESSION = {  # operations of bench/growth.py, in words
    "read": "Loading a session",
    "write": "Saving a session",
    "new visitor": "Creating a session",
}
NAMES = ["burst", "hostile", "cost", "growth", "start", "panel", "visitor", "watch"]


class Line(NamedTuple):
    """A measured value, the value it is compared with, and the target."""

    what: str
    here: str
    beside: str
    aim: str


def of_burst(figures: Any) -> Iterator[Line]:
    for row in figures:
        where = common.NAMES[row["database"]] if row["database"] else "no database"
        here, beside = (
            f"{found['answered']:,} of {found['adds']:,} requests answered; 99th percentile "
            f"{found['p99']:.2f} s, slowest {found['max']:.2f} s"
            for found in (row["served"], row["textbook"])
        )
        what = f"A class adds items at the same moment, lab {row['lab']} ({where})"
        times = f"{row['textbook']['p99'] / row['served']['p99']:.1f} times as long"
        beside = f"a textbook's project on runserver: {beside} ({times})"
        yield Line(what, here, beside, BURST)
        if best := best_gunicorn(row):
            label, found = best
            beside = (
                f"the same lab without its panel on gunicorn, {label} threads: "
                f"{found['answered']:,} of {found['adds']:,} requests answered; 99th percentile "
                f"{found['p99']:.2f} s"
            )
            here = f"{row['served']['p99'] / found['p99']:.2f} times"
            what = f"99th percentile of lab {row['lab']} ({where})"
            yield Line(what, here, beside, f"≤ {GUNICORN_AIM}")


def of_hostile(figures: Any) -> Iterator[Line]:
    for row in figures:
        attacked, peace = row["attacked"]["p99"], row["peace"]["p99"]
        answered = row["visits"] - row["failed"]
        here = (
            f"{row['ratio']:.1f} times; {answered} of {row['visits']} requests answered, "
            f"99th percentile {attacked * 1000:.0f} ms; {row['memory'] / 1e6:.0f} MB of memory"
        )
        beside = f"no attack: 99th percentile {peace * 1000:.0f} ms"
        what = f"A page during an attack: {row['attack']}"
        yield Line(what, here, beside, "all answered; below 100 MB")


def of_cost(figures: Any) -> Iterator[Line]:
    labs = by_lab(figures)
    least, most = min(labs, key=labs.__getitem__), max(labs, key=labs.__getitem__)
    within = len(figures) - len(beyond_aim(figures))
    here = (
        f"{labs[least]:.2f} (lab {least}) to {labs[most]:.2f} (lab {most}) times; "
        f"{within} of {len(figures)} pages within the target"
    )
    beside = "the same pages without labkit"
    aim = f"≤ {COST:.2f}, or {LEAST} ms more"
    yield Line("Processor time of a lab's pages", here, beside, aim)
    for row in figures:
        if (row["lab"], row["path"]) == ("04", "/display/"):
            here = f"{1 / row['ratios']['default']:.2f} times"
            what = "Processor time of lab 04's cart, SQLite with the options for a class"
            yield Line(what, here, "SQLite with Django's options", "")


def of_growth(figures: Any) -> Iterator[Line]:
    for db, both in figures.items():
        for operation, found in both["operations"].items():
            few, *_, many = found["milliseconds"]
            yield Line(
                f"{SESSION[operation]}, {common.NAMES[db]}, {int(many):,} sessions",
                f"{found['ratio']:.2f} times ({found['milliseconds'][many]:.2f} ms)",
                f"{int(few):,} sessions ({found['milliseconds'][few]:.2f} ms)",
                f"≤ {GROWTH:.1f}" if operation == "read" else "",
            )
        sides = {}
        for way, words in WAYS.items():
            found = both["clearing"][way]
            waits = ", ".join(f"{kind} {wait:.2f} s" for kind, wait in found["worst"].items())
            more = found["peak"] / found["peak_of_few"]
            sides[way] = (
                f"{way}, {words}: {found['gone']:,} rows in {found['seconds']:.0f} s, "
                f"{found['peak'] / 1e6:.0f} MB ({more:.2f} times the memory for few rows); "
                f"longest wait: {waits}; {sum(found['failures'].values())} requests failed, "
                f"{found['lost']} changes lost"
            )
        rows = both["clearing"]["clearexpired"]["rows"]
        what = f"Clearing {rows:,} expired sessions, {common.NAMES[db]}"
        yield Line(what, sides["clearexpired"], sides["clearsessions"], "")


def of_start(figures: Any) -> Iterator[Line]:
    bare = f"one bare project, runserver --noreload ({figures['bare_seconds']:.2f} s)"
    what = f"Time from lab serve until all {figures['labs']} labs respond"
    here = f"{figures['ratio']:.1f} times ({figures['seconds']:.2f} s)"
    yield Line(what, here, bare, f"≤ {start.START_AIM}")
    here = f"{figures['first_ratio']:.1f} times ({figures['first_seconds']:.2f} s)"
    yield Line("The same for the first start, with migrations", here, bare, f"≤ {start.FIRST_AIM}")
    bare = f"a bare project, runserver: {figures['bare_memory'] / 1e6:.0f} MB"
    total = f"{sum(figures['memory'].values()) / 1e6:.0f} MB"
    yield Line("Memory of lab serve with all labs", total, bare, f"≤ {start.MEMORY_AIM} MB")
    labs = [size for name, size in figures["memory"].items() if name.isdigit()]
    most = max(labs) / figures["bare_memory"]
    here = f"{min(labs) / 1e6:.0f} to {max(labs) / 1e6:.0f} MB, {most:.2f} times at most"
    yield Line("Memory of a lab", here, bare, "")
    commands = figures["commands"].items()
    here = ", ".join(f"{name} {row['ratio']:.1f} times" for name, row in commands)
    seconds = next(iter(figures["commands"].values()))["import_seconds"]
    beside = f"an import of click and rich.console ({seconds * 1000:.0f} ms)"
    yield Line("Time of commands that only print", here, beside, f"≤ {start.COMMAND_AIM}")


def of_panel(figures: Any) -> Iterator[Line]:
    ratios = [row["ratio"] for row in figures["pages"]]
    here = f"{min(ratios):.2f} to {max(ratios):.2f} times"
    yield Line("Processor time of a page with the panel", here, "without it", f"≤ {PANEL:.2f}")


def of_visitor(figures: Any) -> Iterator[Line]:
    ratios = [row["ratio"] for row in figures]
    here = f"{min(ratios):.2f} to {max(ratios):.2f} times"
    what = "Time of a request by a test's visitor"
    yield Line(what, here, "django.test.Client", f"≤ {VISITOR:.2f}")


def of_watch(figures: Any) -> Iterator[Line]:
    yield Line(
        "From a save to the first result of lab check --watch",
        f"{figures['ratio']:.2f} times ({figures['seconds']:.2f} s)",
        f"pytest with one test of the lab ({figures['single_seconds']:.2f} s)",
        f"≤ {WATCH:.0f}",
    )


def lines(folder: Path, names: list[str]) -> Iterator[Line]:
    """Yield a line for each measured value of the benchmarks with results in this folder."""
    for name in names:
        path = folder / f"{name}.json"
        if path.exists():
            yield from globals()[f"of_{name}"](keeping.read(path)["figures"])


def show(folder: Path) -> None:
    """Print the table."""
    table = Table("measured", "labkit", "compared with", "target", show_lines=True)
    for line in lines(folder, NAMES):
        table.add_row(*line)
    common.console.print(table)


def section(folder: Path) -> str:
    """Return the section: a table, charts, and details of the machine; "" without results."""
    there = [name for name in NAMES if (folder / f"{name}.json").exists()]
    if not there:
        return ""
    rows = ["| | labkit | Compared with | Target |", "|---|---|---|---|"]
    rows += [f"| {' | '.join(line)} |" for line in lines(folder, there)]
    stamps = [keeping.read(folder / f"{name}.json")["stamp"] for name in there]
    versions = {name: it for stamp in stamps for name, it in stamp["versions"].items()}
    words = keeping.describe(stamps[0] | {"command": COMMAND, "versions": versions})
    drawn = [
        f"![{chart['title']}. {chart['about']}]({name}-{key}.svg)\n"
        for name in there
        for key, chart in keeping.read(folder / f"{name}.json")["charts"].items()
    ]
    return "\n".join(["", *rows, "", *drawn, words, "", ""])


def filled(text: str, folder: Path = MEASURED) -> str:
    """Return the page's text with the section updated. Raises ValueError if it has no section."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"docs/measured/README.md has no section {BEGIN.strip()}")
    return f"{before}{begin}{section(folder)}{end}{after}"


def main() -> None:
    """Print the table, check the page or write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=common.ROOT / ".lab" / "bench")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if not (options.write or options.check):
        show(options.out)
        return
    text = PAGE.read_text(encoding="utf-8")
    try:
        wanted = filled(text)
    except (ValueError, FileNotFoundError) as error:
        sys.exit(str(error))
    if options.write:
        PAGE.write_text(wanted, encoding="utf-8", newline="\n")
        for path in (each for name in NAMES if (each := MEASURED / f"{name}.json").exists()):
            named = keeping.read(path)["charts"].items()
            drawing.draw_all(path, {chart: drawing.chart_of(of) for chart, of in named})
    elif wanted != text:
        sys.exit("docs/measured/README.md is out of date; run: python bench/report.py --write")


if __name__ == "__main__":
    main()
