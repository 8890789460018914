"""Show the results of a measurement as charts, as a table, and as a section of README.md."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from labkit.catalog import state_home
from labkit.measure import results
from labkit.measure.charts import (
    COLOURS,
    Bars,
    BarSeries,
    Chart,
    Lines,
    Number,
    Series,
    format_number,
)

QUANTITIES = {  # of a request -> (title, axis)
    "up": ("Bytes up per request", "bytes of the whole request"),
    "down": ("Bytes down per request", "bytes of the whole answer"),
    "median": ("How long it takes, median", "milliseconds"),
    "p99": ("How long it takes, 99 of 100", "milliseconds"),
    "queries": ("Queries per request", "queries"),
}
KEPT = {
    "records": ("What one visitor has on the server", "rows, files and cache entries"),
    "stored": ("What one visitor has on the server, in bytes", "bytes in the store"),
}
DATABASES = {"sqlite": "SQLite", "mysql": "MariaDB"}
Figures = dict[str, Any]


# Charts


def charts(found: Figures) -> dict[str, Chart]:
    """Return all charts of a measurement, by name."""
    variants, kinds, unit = found["variants"].values(), found["kinds"], found["unit"]
    drawn: dict[str, Chart] = {}
    for quantity, (title, axis) in QUANTITIES.items():
        parts = {}
        for kind, words in kinds.items():
            series = [
                Series(v["title"], [(s["size"], s[kind][quantity]) for s in v["sizes"]], _full(v))
                for v in variants
            ]
            name = f"{quantity}-{kind}" if len(kinds) > 1 else quantity
            parts[name] = words, _lines(f"{title}: {words}", axis, series, unit)
        drawn |= _joined(quantity, title, parts)
    for quantity, (title, axis) in KEPT.items():
        series = [
            Series(v["title"], [(s["size"], s[quantity]) for s in v["sizes"]], _full(v))
            for v in variants
        ]
        drawn[quantity] = _lines(title, axis, series, unit)
    if _groups(found, "ends"):
        drawn["ends"] = _bars(found, "ends", "How many fit", unit, lambda end: end["count"])
    if crowd := found.get("crowd"):
        title = f"{crowd.capitalize()}, of {found['adds']} by tabs at once"
        parts = {}
        for number, row in enumerate(_groups(found, "tabs")):
            series = [Series(v["title"], v["tabs"][row]) for v in variants]
            name = f"tabs-{number}" if number else "tabs"
            parts[name] = row, _lines(f"{title}, {row}", crowd, series, "tabs")
        drawn |= _joined("tabs", title, parts)
    title = "Sessions left on the server by one visitor"
    drawn["left"] = _bars(found, "left", title, "sessions", lambda count: count)
    return drawn


def _joined(name: str, title: str, parts: dict[str, tuple[str, Lines]]) -> dict[str, Lines]:
    """Return one chart if the lines of all parts fit into it, or the parts."""
    every = [
        replace(series, name=f"{series.name}, {words}")
        for words, part in parts.values()
        for series in part.series
    ]
    if len(parts) == 1 or len(every) > len(COLOURS):
        return {name: part for name, (_, part) in parts.items()}
    _, first = next(iter(parts.values()))
    return {name: _lines(title, first.y, every, first.x)}


def _lines(title: str, axis: str, series: list[Series], unit: str) -> Lines:
    xs = [x for one in series for x, _ in one.points]
    about = "; ".join(
        f"{s.name}: {format_number(s.points[0][1])} at {s.points[0][0]}, "
        f"{format_number(s.points[-1][1])} at {s.points[-1][0]}"
        for s in series
    )
    return Lines(title, f"By {unit}. {about}.", unit, axis, series, max(xs) / min(xs) > 10)


def _bars(found: Figures, name: str, title: str, axis: str, value: Callable[[Any], Number]) -> Bars:
    groups = _groups(found, name)
    rows, about = [], []
    for variant in found["variants"].values():
        values = {group: value(variant[name][group]) for group in groups}
        rows.append(BarSeries(variant["title"], [*values.values()]))
        each = ", ".join(f"{format_number(number)} ({group})" for group, number in values.items())
        about.append(f"{variant['title']}: {each}")
    return Bars(title, f"{'; '.join(about)}.", axis, groups, rows)


def _groups(found: Figures, name: str) -> list[str]:
    return list(dict.fromkeys(key for v in found["variants"].values() for key in v[name]))


def _full(variant: Figures) -> str:
    """Return why the line of this variant ends before the others, or ""."""
    end = next(iter(variant["ends"].values()), None)
    return f"full at {end['count']}" if end and end["count"] == variant["sizes"][-1]["size"] else ""


# The table


@dataclass(frozen=True)
class Line:
    """A row of the table: a figure of all variants. README.md quotes those that matter."""

    label: str
    cells: list[str]
    matters: bool = True


def lines(found: Figures) -> Iterator[Line]:
    """Yield the rows of the table."""
    variants, unit, number = list(found["variants"].values()), found["unit"], format_number
    common = set.intersection(*({s["size"] for s in v["sizes"]} for v in variants))
    middle = 10 if 10 in common else max(common)
    at = [next(s for s in v["sizes"] if s["size"] == middle) for v in variants]
    most = [v["sizes"][-1] for v in variants]
    for way in _groups(found, "ends"):
        yield Line(
            f"How many fit: {unit}, {way}", [number(v["ends"][way]["count"]) for v in variants]
        )
    for kind, words in found["kinds"].items():
        first = kind == next(iter(found["kinds"]))
        what, size = words.capitalize(), f"with {middle} {unit}"
        yield Line(f"{what}: bytes up {size}", [number(s[kind]["up"]) for s in at])
        if any(s["size"] > middle for s in most):
            full = [f"{number(s[kind]['up'])} with {s['size']}" for s in most]
            yield Line(f"{what}: bytes up with the most measured", full, first)
        yield Line(f"{what}: bytes down {size}", [number(s[kind]["down"]) for s in at], False)
        both = [f"{s[kind]['median']:.1f}, {s[kind]['p99']:.1f}" for s in at]
        yield Line(f"{what}: milliseconds {size}, median and 99 of 100", both)
        yield Line(f"{what}: queries", [number(s[kind]["queries"]) for s in at])
    held = [f"{s['records']}, {number(s['stored'])} bytes" if s["records"] else "–" for s in at]
    yield Line(f"Rows, files and cache entries of one visitor with {middle} {unit}", held)
    for row in _groups(found, "tabs") if "crowd" in found else []:
        tabs = ", ".join(str(tabs) for tabs, _ in variants[0]["tabs"][row])
        kept = [", ".join(str(count) for _, count in v["tabs"][row]) for v in variants]
        what = f"{found['crowd'].capitalize()} of {found['adds']}"
        yield Line(f"{what}, by {tabs} tabs at once, {row}", kept)
    for kind in _groups(found, "left"):
        yield Line(f"Sessions left: {kind}", [number(v["left"][kind]) for v in variants])


# Pages

HOME = "compare"  # the folder of this machine's results, beside the labs' state folders
MEASURED = Path("docs", "measured")  # results in the repository


def places(root: Path) -> dict[str, Path]:
    """Return the folders of results by name; the first one counts."""
    return {"here": state_home(root) / HOME, "committed": root / MEASURED}


@dataclass(frozen=True)
class DrawnChart:
    """A chart of a measurement, for a template."""

    name: str  # such as "bytes_up"
    title: str
    about: str  # its alternative text
    path: Path  # of the SVG, beside the figures, so that a page needs no matplotlib

    @property
    def anchor(self) -> str:
        """Its ID on a page."""
        return f"figure-{self.path.stem}"

    @property
    def svg(self) -> SafeString:
        """The drawing."""
        return mark_safe(self.path.read_text(encoding="utf-8"))  # labkit draws it


@dataclass(frozen=True)
class MeasuredRun:
    """The results of a measurement, for a template."""

    path: Path  # of the figures, such as "carts-sqlite.json"
    place: str  # a key of `places`
    database: str  # in words
    stamp: str  # machine, versions and date in words
    figures: Figures
    charts: list[DrawnChart]  # none if matplotlib was not installed

    @property
    def variants(self) -> list[str]:
        """The titles of the variants."""
        return [variant["title"] for variant in self.figures["variants"].values()]

    @property
    def rows(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """The label of each row of the table, and (variant, figure) of each variant."""
        titles = self.variants
        return [
            (line.label, list(zip(titles, line.cells, strict=True))) for line in lines(self.figures)
        ]


def measured_runs(root: Path, table: str, *, drawn: bool = False) -> list[MeasuredRun]:
    """Return the last run on each database: of this machine, or the one in the repository.

    drawn: ignore runs without charts.
    """
    runs = []
    for db in DATABASES:
        found = (_read_run(root, place, table, db) for place in places(root))
        runs += [run for run in found if run and (run.charts or not drawn)][:1]
    return runs


def _read_run(root: Path, place: str, table: str, db: str) -> MeasuredRun | None:
    path = places(root)[place] / f"{table}-{db}.json"
    try:
        content = results.read(path)
        charts = [
            DrawnChart(name, chart["title"], chart["about"], svg)
            for name, chart in content["charts"].items()
            if (svg := path.with_name(f"{path.stem}-{name}.svg")).is_file()
        ]
        stamp = results.describe(content["stamp"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None  # there is none, or one of another version
    return MeasuredRun(path, place, DATABASES[db], stamp, content["figures"], charts)


def find_chart(runs: list[MeasuredRun], name: str) -> DrawnChart | None:
    """Return the first chart of this name, such as "up"; None if it is not drawn."""
    return next((chart for run in runs for chart in run.charts if chart.name == name), None)


# README.md

QUOTED = ["up", "median", "stored", "tabs"]  # charts
BEGIN = "<!-- From docs/measured, by `lab compare --write`. -->"
END = "<!-- So far. -->"


def readme(root: Path) -> str:
    """Return the text of README.md with the section on figures from docs/measured.

    Raises FileNotFoundError, and ValueError if README.md has no such section or the two runs differ
    in kind.
    """
    text = (root / "README.md").read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError("README.md has no place for what was measured.")
    return f"{before}{BEGIN}\n{''.join(_quoted(root))}{END}{after}"


def _quoted(root: Path) -> Iterator[str]:
    runs = [results.read(root / MEASURED / f"carts-{db}.json") for db in DATABASES]
    columns: dict[str, list[Line]] = {}
    for run, database in zip(runs, DATABASES.values(), strict=True):
        every = list(lines(run["figures"]))
        for number, variant in enumerate(run["figures"]["variants"].values()):
            stores = any(size["records"] for size in variant["sizes"])
            title = f"{variant['title']}, {database}" if stores else variant["title"]
            column = [Line(line.label, [line.cells[number]], line.matters) for line in every]
            columns.setdefault(title, column)
    yield "\n| | " + " | ".join(columns) + " |\n"
    yield "|---" * (len(columns) + 1) + "|\n"
    for several in zip(*columns.values(), strict=True):
        if len({line.label for line in several}) > 1:
            raise ValueError("docs/measured holds runs of different kinds; measure both again.")
        if several[0].matters:
            cells = " | ".join(line.cells[0] for line in several)
            yield f"| {several[0].label} | {cells} |\n"
    for name in QUOTED:
        chart = runs[0]["charts"][name]
        path = (MEASURED / f"carts-sqlite-{name}.svg").as_posix()
        yield f"\n![{chart['title']}. {chart['about']}]({path})\n"
    yield "\n"
    for run in runs:
        yield f"{results.describe(run['stamp'])}\n\n"
