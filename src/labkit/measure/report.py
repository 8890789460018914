"""Show the results of a measurement as charts, as a table, and as a section of README.md."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from labkit.measure import results
from labkit.measure.charts import COLOURS, Bars, BarSeries, Chart, Lines, Series, format_number

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
Figures = dict[str, Any]


# Charts


def charts(found: Figures) -> dict[str, Chart]:
    """Return all charts of a measurement, by name."""
    drawn: dict[str, Chart] = {}
    for quantity in QUANTITIES:
        drawn |= _over_sizes(found, quantity)
    for quantity, (title, axis) in KEPT.items():
        series = [
            Series(v["title"], [(s["size"], s[quantity]) for s in v["sizes"]], _full(v))
            for v in found["variants"].values()
        ]
        drawn[quantity] = _lines(found, title, axis, series)
    if ends := _groups(found, "ends"):
        rows = [
            BarSeries(v["title"], [v["ends"][way]["count"] for way in ends])
            for v in found["variants"].values()
        ]
        drawn["ends"] = _bars("How many fit", found["unit"], ends, rows)
    drawn |= _tabs(found)
    left = _groups(found, "left")
    rows = [
        BarSeries(v["title"], [v["left"][kind] for kind in left])
        for v in found["variants"].values()
    ]
    drawn["left"] = _bars("Sessions left on the server by one visitor", "sessions", left, rows)
    return drawn


def _over_sizes(found: Figures, quantity: str) -> dict[str, Chart]:
    """Return one chart if all variants and kinds of requests fit into it, or one for each kind."""
    title, axis = QUANTITIES[quantity]
    kinds, variants = found["kinds"], found["variants"].values()
    together = len(kinds) * len(variants) <= len(COLOURS)

    def series(kind: str, name: str) -> list[Series]:
        return [
            Series(
                name.format(v["title"]),
                [(s["size"], s[kind][quantity]) for s in v["sizes"]],
                _full(v),
            )
            for v in variants
        ]

    if together and len(kinds) > 1:
        every = [one for kind in kinds for one in series(kind, f"{{}}, {kinds[kind]}")]
        return {quantity: _lines(found, title, axis, every)}
    return {
        f"{quantity}-{kind}" if len(kinds) > 1 else quantity: _lines(
            found, f"{title}: {words}", axis, series(kind, "{}")
        )
        for kind, words in kinds.items()
    }


def _tabs(found: Figures) -> dict[str, Chart]:
    if "crowd" not in found:
        return {}
    title = f"{found['crowd'].capitalize()}, of {found['adds']} by tabs at once"
    rows = {row: None for v in found["variants"].values() for row in v["tabs"]}
    series = {
        row: [
            Series(v["title"], [(x, y) for x, y in v["tabs"][row]])
            for v in found["variants"].values()
        ]
        for row in rows
    }
    axis = found["crowd"]
    if sum(map(len, series.values())) <= len(COLOURS):
        every = [Series(f"{s.name}, {row}", s.points) for row in rows for s in series[row]]
        return {"tabs": _lines(found, title, axis, every, "tabs")}
    return {
        "tabs" if not number else f"tabs-{number}": _lines(
            found, f"{title}, {row}", axis, series[row], "tabs"
        )
        for number, row in enumerate(rows)
    }


def _lines(found: Figures, title: str, axis: str, series: list[Series], unit: str = "") -> Lines:
    xs = [x for one in series for x, _ in one.points]
    told = "; ".join(
        f"{s.name}: {format_number(s.points[0][1])} at {s.points[0][0]}, "
        f"{format_number(s.points[-1][1])} at {s.points[-1][0]}"
        for s in series
    )
    unit = unit or found["unit"]
    return Lines(title, f"By {unit}. {told}.", unit, axis, series, max(xs) / min(xs) > 10)


def _bars(title: str, axis: str, groups: list[str], rows: list[BarSeries]) -> Bars:
    told = "; ".join(
        f"{row.name}: "
        + ", ".join(f"{format_number(value or 0)} ({group})" for value, group in pairs)
        for row in rows
        for pairs in [zip(row.values, groups, strict=True)]
    )
    return Bars(title, f"{told}.", axis, groups, rows)


def _groups(found: Figures, name: str) -> list[str]:
    return list(dict.fromkeys(key for v in found["variants"].values() for key in v[name]))


def _full(variant: Figures) -> str:
    """Return why the line of this variant ends before the others, or ""."""
    ends = list(variant["ends"].values())
    full = ends and ends[0]["count"] == variant["sizes"][-1]["size"]
    return f"full at {ends[0]['count']}" if full else ""


# The table


@dataclass(frozen=True)
class Line:
    """A row of the table: a figure of all variants. README.md quotes those that matter."""

    label: str
    cells: list[str]
    matters: bool = True


def lines(found: Figures) -> Iterator[Line]:
    """Yield the rows of the table."""
    variants = list(found["variants"].values())
    middle = _middle(variants)
    at = [next(s for s in v["sizes"] if s["size"] == middle) for v in variants]
    most = [v["sizes"][-1] for v in variants]
    unit = found["unit"]
    for way in _groups(found, "ends"):
        fit = [format_number(v["ends"][way]["count"]) for v in variants]
        yield Line(f"How many fit: {unit}, {way}", fit)
    for kind, words in found["kinds"].items():
        first = kind == next(iter(found["kinds"]))
        what, size = words.capitalize(), f"with {middle} {unit}"
        yield Line(f"{what}: bytes up {size}", [format_number(s[kind]["up"]) for s in at])
        if any(s["size"] > middle for s in most):
            full = [f"{format_number(s[kind]['up'])} with {s['size']}" for s in most]
            yield Line(f"{what}: bytes up with the most measured", full, first)
        yield Line(
            f"{what}: bytes down {size}", [format_number(s[kind]["down"]) for s in at], False
        )
        both = [f"{s[kind]['median']:.1f}, {s[kind]['p99']:.1f}" for s in at]
        yield Line(f"{what}: milliseconds {size}, median and 99 of 100", both)
        yield Line(f"{what}: queries", [format_number(s[kind]["queries"]) for s in at])
    held = [
        f"{s['records']}, {format_number(s['stored'])} bytes" if s["records"] else "–" for s in at
    ]
    yield Line(f"Rows, files and cache entries of one visitor with {middle} {unit}", held)
    for row in _groups(found, "tabs") if "crowd" in found else []:
        tabs = ", ".join(str(tabs) for tabs, _ in variants[0]["tabs"][row])
        kept = [", ".join(str(count) for _, count in v["tabs"][row]) for v in variants]
        what = f"{found['crowd'].capitalize()} of {found['adds']}"
        yield Line(f"{what}, by {tabs} tabs at once, {row}", kept)
    for kind in _groups(found, "left"):
        yield Line(f"Sessions left: {kind}", [format_number(v["left"][kind]) for v in variants])


def _middle(variants: list[Figures]) -> int:
    """Return a size at which every variant was measured: 10 if possible."""
    common = set.intersection(*({s["size"] for s in v["sizes"]} for v in variants))
    return 10 if 10 in common else max(common)


# Pages

HOME = Path(".lab", "compare")  # results of this machine
MEASURED = Path("docs", "measured")  # results in the repository


def runs(root: Path, table: str) -> list[Path]:
    """Return the last results on each database: of this machine, or those in the repository."""
    found = []
    for db in ("sqlite", "mysql"):
        places = [root / folder / f"{table}-{db}.json" for folder in (HOME, MEASURED)]
        found += list(filter(_is_ours, places))[:1]
    return found


def _is_ours(path: Path) -> bool:
    try:
        return bool(results.read(path))
    except (OSError, ValueError):  # missing, of another version, or incomplete
        return False


def anchor(root: Path, reference: str) -> tuple[str, str] | None:
    """Return (title, ID on the page) of a chart such as "carts/up"; None if it is not drawn."""
    table, _, name = reference.partition("/")
    for path in runs(root, table):
        chart = results.read(path)["charts"].get(name)
        if chart and path.with_name(f"{path.stem}-{name}.svg").exists():
            return chart["title"], f"figure-{path.stem}-{name}"
    return None


@dataclass(frozen=True)
class MeasuredRun:
    """The results of a measurement, for a template."""

    name: str  # of its files, such as "carts-sqlite"
    database: str
    stamp: str  # machine, versions and date in words
    variants: list[str]  # their titles
    rows: list[tuple[str, list[tuple[str, str]]]]  # label, and (variant, figure) of each variant
    charts: list[tuple[str, SafeString]]  # (name, SVG)


def measured_runs(root: Path, table: str) -> Iterator[MeasuredRun]:
    """Yield the results for this table.

    Charts are read from the files beside the figures, so that a page needs no matplotlib.
    """
    for path in runs(root, table):
        content = results.read(path)
        figures = content["figures"]
        titles = [variant["title"] for variant in figures["variants"].values()]
        pictures = {name: path.with_name(f"{path.stem}-{name}.svg") for name in content["charts"]}
        yield MeasuredRun(
            path.stem,
            {"sqlite": "SQLite", "mysql": "MariaDB"}[figures["db"]],
            results.describe(content["stamp"]),
            titles,
            [(line.label, list(zip(titles, line.cells, strict=True))) for line in lines(figures)],
            [
                (name, mark_safe(picture.read_text(encoding="utf-8")))  # labkit draws it
                for name, picture in pictures.items()
                if picture.exists()
            ],
        )


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
    runs = [results.read(root / MEASURED / f"carts-{db}.json") for db in ("sqlite", "mysql")]
    columns: list[tuple[str, list[Line]]] = []
    for run in runs:
        found, versions = run["figures"], run["stamp"]["versions"]
        every = list(lines(found))
        for number, variant in enumerate(found["variants"].values()):
            stores = any(size["records"] for size in variant["sizes"])
            database = next(name for name in ("SQLite", "MariaDB") if name in versions)
            title = f"{variant['title']}, {database}" if stores else variant["title"]
            if title not in [known for known, _ in columns]:
                one = [Line(line.label, [line.cells[number]], line.matters) for line in every]
                columns.append((title, one))
    yield "\n| | " + " | ".join(title for title, _ in columns) + " |\n"
    yield "|---" * (len(columns) + 1) + "|\n"
    for several in zip(*(column for _, column in columns), strict=True):
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
