"""Show measurements as charts, as a table, and in docs/measured/README.md."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from labkit.catalog import state_home
from labkit.measure import charts as drawing
from labkit.measure import results
from labkit.measure.charts import Bars, BarSeries, Chart, Lines, Number, Series, format_number

QUANTITIES = {  # {quantity measured for a request: (chart title, axis label)}
    "up": ("Bytes sent per request", "bytes"),
    "down": ("Bytes received per response", "bytes"),
    "median": ("Median response time", "milliseconds"),
    "p99": ("99th percentile of the response time", "milliseconds"),
    "queries": ("Database queries per request", "queries"),
}
STORED = {  # on the server
    "records": ("Rows, files and cache entries of one visitor", "rows, files and cache entries"),
    "stored": ("Bytes stored on the server for one visitor", "bytes"),
}
DIFFERENT_KINDS = "The runs on SQLite and MariaDB measured different things. Measure both again."
ONE_VISITOR = "one visitor"
DATABASES = {"sqlite": "SQLite", "mysql": "MariaDB"}
Figures = dict[str, Any]


# Merging the runs on several databases


def merged(runs: dict[str, Figures]) -> Figures:
    """Merge the figures of runs on several databases, {"SQLite": figures}, into one.

    A variant that queries its database is included once for each database. Raises ValueError if
    the runs measured different things.
    """
    if len({tuple(line.label for line in lines(figures)) for figures in runs.values()}) > 1:
        raise ValueError(DIFFERENT_KINDS)
    variants: dict[str, Figures] = {}
    for database, figures in runs.items():
        for variant in figures["variants"].values():
            several = len(runs) > 1 and _place(variant, figures["kinds"]) == "store"
            title = f"{variant['title']}, {database}" if several else variant["title"]
            variants.setdefault(title, variant | {"title": title})
    return next(iter(runs.values())) | {"variants": variants}


def _place(variant: Figures, kinds: dict[str, str]) -> str:
    """Return where this variant stores its state: "browser", "server" or "store"."""
    sizes = variant["sizes"]
    if any(size[kind]["queries"] for size in sizes for kind in kinds):
        return "store"
    return "server" if any(size["records"] for size in sizes) else "browser"


# Charts


def charts(found: Figures) -> dict[str, Chart]:
    """Return the charts that can be drawn from these figures, by name."""
    kinds, unit, drawn = found["kinds"], found["unit"], dict[str, Chart]()
    for quantity, (title, axis) in QUANTITIES.items():
        parts = {words: _series(found, quantity, kind) for kind, words in kinds.items()}
        drawn |= _each(quantity, title, axis, unit, parts, list(kinds))
    for quantity, (title, axis) in STORED.items():
        parts = {ONE_VISITOR: _series(found, quantity)}
        drawn |= _each(quantity, title, axis, unit, parts, [""])
    if _groups(found, "ends"):
        drawn["ends"] = _bars(
            found, "ends", f"How many fit: {unit}", unit, lambda end: end["count"]
        )
    if crowd := found.get("crowd"):
        for number, row in enumerate(_groups(found, "tabs")):
            series = [
                Series(v["title"], v["tabs"][row], place=_place(v, kinds))
                for v in found["variants"].values()
            ]
            title = f"{crowd.capitalize()}, of {found['adds']}: {row}"
            name = f"tabs-{number}" if number else "tabs"
            drawn[name] = _lines(title, crowd, series, "tabs at the same time")
    title = "Sessions left on the server by one visitor"
    drawn["left"] = _bars(found, "left", title, "sessions", lambda count: count)
    return drawn


def _series(found: Figures, quantity: str, kind: str = "") -> list[Series]:
    """Return a line for each variant that shows how a quantity depends on the size of the state."""
    return [
        Series(
            variant["title"],
            [(s["size"], (s[kind] if kind else s)[quantity]) for s in variant["sizes"]],
            _full(variant),
            _place(variant, found["kinds"]),
        )
        for variant in found["variants"].values()
    ]


def _each(
    name: str, title: str, axis: str, unit: str, parts: dict[str, list[Series]], kinds: list[str]
) -> dict[str, Chart]:
    """Return a line chart for each part, or a single bar chart if nothing depends on the size."""
    every = [series for part in parts.values() for series in part]
    if all(len({y for _, y in series.points}) == 1 for series in every):
        rows = [
            BarSeries(same[0].name, [one.points[0][1] for one in same], same[0].place)
            for same in zip(*parts.values(), strict=True)
        ]
        return {name: Bars(title, _about_bars(list(parts), rows), axis, list(parts), rows)}
    drawn: dict[str, Chart] = {}
    for kind, (words, part) in zip(kinds, parts.items(), strict=True):
        of_kind = f"{name}-{kind}" if drawn else name
        whole = title if words == ONE_VISITOR else f"{title}: {words}"
        drawn[of_kind] = _lines(whole, axis, part, unit)
    return drawn


def _lines(title: str, axis: str, series: list[Series], unit: str) -> Lines:
    about = "; ".join(
        f"{s.name}: {format_number(s.points[0][1])} at {s.points[0][0]}, "
        f"{format_number(s.points[-1][1])} at {s.points[-1][0]}"
        for s in drawing.joined(series)
    )
    return Lines(title, f"By {unit}. {about}.", unit, axis, series)


def _bars(found: Figures, name: str, title: str, axis: str, value: Callable[[Any], Number]) -> Bars:
    groups = _groups(found, name)
    rows = [
        BarSeries(
            variant["title"],
            [value(variant[name][group]) for group in groups],
            _place(variant, found["kinds"]),
        )
        for variant in found["variants"].values()
    ]
    return Bars(title, _about_bars(groups, rows), axis, groups, rows)


def _about_bars(groups: list[str], rows: list[BarSeries]) -> str:
    about = []
    for row in rows:
        values = zip(groups, row.values, strict=True)
        each = ", ".join(f"{format_number(value or 0)} ({group})" for group, value in values)
        about.append(f"{row.name}: {each}")
    return f"{'; '.join(about)}."


def _groups(found: Figures, name: str) -> list[str]:
    return list(dict.fromkeys(key for v in found["variants"].values() for key in v[name]))


def _full(variant: Figures) -> str:
    """Return why the line of this variant ends before the other lines, or "" if it does not."""
    end = next(iter(variant["ends"].values()), None)
    return f"full at {end['count']}" if end and end["count"] == variant["sizes"][-1]["size"] else ""


# The table


@dataclass(frozen=True)
class Line:
    """A row of the table: one figure for each variant."""

    label: str
    cells: list[str]


def lines(found: Figures) -> Iterator[Line]:
    """Yield the rows of the table."""
    variants, unit, number = list(found["variants"].values()), found["unit"], format_number
    common = set.intersection(*({s["size"] for s in v["sizes"]} for v in variants))
    middle = 10 if 10 in common else max(common)
    at = [next(s for s in v["sizes"] if s["size"] == middle) for v in variants]
    most = [v["sizes"][-1] for v in variants]
    for way in _groups(found, "ends"):
        most_of = [number(v["ends"][way]["count"]) for v in variants]
        yield Line(f"Maximum number of {unit}, {way}", most_of)
    for kind, words in found["kinds"].items():
        what, size = words.capitalize(), f"with {middle} {unit}"
        yield Line(f"{what}: bytes sent {size}", [number(s[kind]["up"]) for s in at])
        if any(s["size"] > middle for s in most):
            full = [f"{number(s[kind]['up'])} with {s['size']}" for s in most]
            yield Line(f"{what}: bytes sent with the most measured", full)
        yield Line(f"{what}: bytes received {size}", [number(s[kind]["down"]) for s in at])
        both = [f"{s[kind]['median']:.1f}, {s[kind]['p99']:.1f}" for s in at]
        yield Line(f"{what}: milliseconds {size}, median and 99th percentile", both)
        yield Line(f"{what}: database queries", [number(s[kind]["queries"]) for s in at])
    held = [f"{s['records']}, {number(s['stored'])} bytes" if s["records"] else "–" for s in at]
    yield Line(f"Rows, files and cache entries of one visitor with {middle} {unit}", held)
    for row in _groups(found, "tabs") if "crowd" in found else []:
        tabs = ", ".join(str(tabs) for tabs, _ in variants[0]["tabs"][row])
        kept = [", ".join(str(count) for _, count in v["tabs"][row]) for v in variants]
        what = f"{found['crowd'].capitalize()} of {found['adds']}"
        yield Line(f"{what}, with {tabs} tabs at once, {row}", kept)
    for kind in _groups(found, "left"):
        left = [number(v["left"][kind]) for v in variants]
        yield Line(f"Sessions left on the server: {kind}", left)


# Pages

HOME = "compare"  # the folder with the results of this machine, beside the labs' state folders
MEASURED = Path("docs", "measured")  # results in the repository


def places(root: Path) -> dict[str, Path]:
    """Return the folders with results as {name: folder}, in order of preference."""
    return {"here": state_home(root) / HOME, "committed": root / MEASURED}


@dataclass(frozen=True)
class DrawnChart:
    """A chart of a measurement, for a template."""

    name: str  # such as "up"
    title: str
    about: str  # its alternative text
    path: Path  # the chart's SVG file, from which a page can show it without matplotlib

    @property
    def anchor(self) -> str:
        """Its ID on a page."""
        return f"figure-{self.path.stem}"

    @property
    def svg(self) -> SafeString:
        """The drawing."""
        return mark_safe(self.path.read_text(encoding="utf-8"))  # drawn by labkit


@dataclass(frozen=True)
class MeasuredRun:
    """The results of a measurement on one database, for a template."""

    path: Path  # the path of the file with the figures, such as "carts-sqlite.json"
    database: str  # for readers
    stamp: str  # the machine, the versions and the date, as sentences
    figures: Figures


@dataclass(frozen=True)
class Measured:
    """The measurements of a table in one folder, for a template."""

    place: str  # a key of `places`
    runs: list[MeasuredRun]  # one for each database
    figures: Figures  # of all runs
    charts: list[DrawnChart]  # empty if matplotlib was not installed when the figures were written

    @property
    def variants(self) -> list[str]:
        """The titles of the variants."""
        return list(self.figures["variants"])

    @property
    def rows(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """The label of each row, and a (variant, figure) pair for each variant."""
        titles = self.variants
        return [
            (line.label, list(zip(titles, line.cells, strict=True))) for line in lines(self.figures)
        ]


def read_measured(root: Path, table: str, *, drawn: bool = False) -> Measured | None:
    """Return this machine's figures, or else the repository's, or None if there are none.

    drawn: ignore figures for which no charts were drawn.
    """
    found = (_read(root, place, table) for place in places(root))
    return next((one for one in found if one and (one.charts or not drawn)), None)


def _read(root: Path, place: str, table: str) -> Measured | None:
    folder = places(root)[place]
    runs = [run for db in DATABASES if (run := _read_run(folder / f"{table}-{db}.json", db))]
    # Runs that measured different things cannot share a chart, so use only the last run.
    for chosen in (runs, runs[-1:]) if runs else ():
        with contextlib.suppress(ValueError, LookupError, TypeError, AttributeError):
            figures = merged({run.database: run.figures for run in chosen})
            drawn = [
                DrawnChart(name, chart.title, chart.about, path)
                for name, chart in charts(figures).items()
                if (path := folder / f"{table}-{name}.svg").is_file()
            ]
            return Measured(place, chosen, figures, drawn)
    return None  # there are no results, or they are from another version


def _read_run(path: Path, db: str) -> MeasuredRun | None:
    try:
        content = results.read(path)
        stamp = results.describe(content["stamp"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    return MeasuredRun(path, DATABASES[db], stamp, content["figures"])


def draw(folder: Path, table: str) -> list[Path]:
    """Draw the charts of a table from its figures in this folder. Raises NotInstalled."""
    found = {
        name: results.read(path)["figures"]
        for db, name in DATABASES.items()
        if (path := folder / f"{table}-{db}.json").is_file()
    }
    return drawing.draw_all(folder / table, charts(merged(found))) if found else []


def find_chart(found: Measured | None, name: str) -> DrawnChart | None:
    """Return the chart with this name, such as "up", or None if there is none."""
    return next((chart for chart in found.charts if chart.name == name), None) if found else None


# docs/measured/README.md

PAGE = MEASURED / "README.md"
BEGIN = "<!-- By `lab compare --write`. -->"
END = "<!-- End of `lab compare --write`. -->"


def measured_page(root: Path) -> str:
    """Return the text of docs/measured/README.md with an updated section on `lab compare`.

    Raises FileNotFoundError, and ValueError if the file has no such section or the two runs
    measured different things.
    """
    text = (root / PAGE).read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{PAGE.as_posix()} has no section {BEGIN}")
    return f"{before}{BEGIN}\n{''.join(_section(root))}{END}{after}"


def _section(root: Path) -> Iterator[str]:
    folder = root / MEASURED
    runs = {name: results.read(folder / f"carts-{db}.json") for db, name in DATABASES.items()}
    found = merged({name: run["figures"] for name, run in runs.items()})
    yield "\n| | " + " | ".join(found["variants"]) + " |\n"
    yield "|---" * (len(found["variants"]) + 1) + "|\n"
    for line in lines(found):
        yield f"| {line.label} | {' | '.join(line.cells)} |\n"
    for name, chart in charts(found).items():
        yield f"\n![{chart.title}. {chart.about}](carts-{name}.svg)\n"
    yield "\n"
    for run in runs.values():
        yield f"{results.describe(run['stamp'])}\n\n"
