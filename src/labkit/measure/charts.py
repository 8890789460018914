"""Draw charts as SVG, for light and dark screens, greyscale and screen readers.

Every scale is linear and starts at zero. Each line and bar has its name beside it. As on other
pages, the colour shows where the state is stored: browser, server or store. Series of one colour
differ in marker and dash (lines) or hatching (bars), and lines that coincide share one label.

The same chart always gives the same bytes. Text is not converted to shapes, and colours follow the
reader's colour scheme. Matplotlib draws the charts, since pygal has no hatching or direct labels.
"""

import io
import json
import logging
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from labkit.kept_files import write_whole
from labkit.measure.chart_labels import Label, end_labels
from labkit.processes.start import NotInstalled
from labkit.render import PALETTE
from labkit.services.requirements import missing_tools

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Number = int | float

# Matplotlib draws with these colours; in the SVG, the palette's variables replace them.
VARIABLES = {
    "#010203": "--ink",
    "#020304": "--quiet",
    "#030405": "--line",
    "#040506": "--surface",
    "#050607": "--browser",
    "#060708": "--server",
    "#070809": "--store",
}
INK, QUIET, GRID, GROUND, *_ = VARIABLES
# {place where state is stored: its colour}; "" stands for all other places.
PLACES = {"browser": "#050607", "server": "#060708", "store": "#070809", "": QUIET}
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "*"]
DASHES = ["-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)), (0, (10, 3)), (0, (1, 1))]
HATCHES = ["", "//", "..", "\\\\", "xx", "--"]
SAME = "{}: the same"  # the label of several lines that coincide

# These lengths are in inches; an inch is 72 units in the drawing. A phone shows 400 units at almost
# full size.
WIDTH, PLOT, LEFT, RIGHT, LINE = 5.6, 2.6, 0.7, 1.85, 0.21
FONT_SIZE, LETTER = 11.5, 0.096  # the font size in points, and the width of a letter in inches
WRAP = 16  # the maximum number of letters in a line of a label


@dataclass(frozen=True)
class Series:
    """A line of a chart, as (x, y) points. `ends`: the reason why it ends early, for its label."""

    name: str
    points: Sequence[Sequence[Number]]
    ends: str = ""
    place: str = ""  # a key of PLACES


@dataclass(frozen=True)
class Lines:
    """A line chart. `about` describes the chart for readers who cannot see it."""

    title: str
    about: str
    x: str
    y: str
    series: list[Series]
    kind: str = "lines"


@dataclass(frozen=True)
class BarSeries:
    """The bars of one series: a value for each group of the chart, or None."""

    name: str
    values: list[Number | None]
    place: str = ""  # a key of PLACES


@dataclass(frozen=True)
class Bars:
    """A horizontal bar chart with values beside the bars. `aim`: a target, drawn as a line."""

    title: str
    about: str
    x: str
    groups: list[str]
    rows: list[BarSeries]
    aim: Number | None = None
    kind: str = "bars"


Chart = Lines | Bars
One = TypeVar("One", Series, BarSeries)


def chart_of(content: dict[str, Any]) -> Chart:
    """Return the chart from its `asdict` form. Raises KeyError or TypeError for other content."""
    if content["kind"] == "bars":
        return Bars(**content | {"rows": [BarSeries(**row) for row in content["rows"]]})
    return Lines(**content | {"series": [Series(**one) for one in content["series"]]})


def need() -> None:
    """Raise NotInstalled, with the command that installs it, if matplotlib is missing."""
    if missing := missing_tools(["matplotlib"]):
        raise NotInstalled(missing[0])


def draw_all(path: Path, charts: dict[str, Chart]) -> list[Path]:
    """Draw the charts as NAME-CHART.svg, delete older charts of NAME, and return the paths.

    path: the path of NAME.json, or NAME alone. Raises NotInstalled.
    """
    need()
    for old in path.parent.glob(f"{path.stem}-*.svg"):
        old.unlink()
    drawn = []
    for name, chart in charts.items():
        drawn.append(path.with_name(f"{path.stem}-{name}.svg"))
        write_whole(drawn[-1], svg(chart, path.stem))
    return drawn


def svg(chart: Chart, of: str = "") -> str:
    """Return the chart as SVG, for a file or a page.

    of: a text that distinguishes charts that are otherwise the same on one page. Raises
    NotInstalled.
    """
    need()
    logging.getLogger("matplotlib.font_manager").setLevel(logging.WARNING)
    import matplotlib.style
    from matplotlib.figure import Figure

    mark = sha256(f"{of} {json.dumps(asdict(chart))}".encode()).hexdigest()[:8]
    text = io.StringIO()
    # Ignore the user's matplotlibrc.
    with matplotlib.style.context(_matplotlib_style(mark), after_reset=True):
        figure = Figure()
        if isinstance(chart, Lines):
            _draw_lines(figure, chart)
        else:
            _draw_bars(figure, chart)
        # Without a date, the same chart gives the same bytes.
        nothing = dict.fromkeys(["Creator", "Date", "Format", "Type"])
        figure.savefig(text, format="svg", metadata=nothing)
    return _make_accessible(text.getvalue(), chart, mark)


def _matplotlib_style(mark: str) -> list[Any]:
    own = {
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": mark,  # makes the IDs stable, and different for each chart
        # This font is part of matplotlib, and at least as wide as readers' fonts.
        "font.family": "DejaVu Sans",
        "font.size": FONT_SIZE,
        "text.color": INK,
        "axes.labelcolor": QUIET,
        "axes.edgecolor": QUIET,
        "axes.facecolor": GROUND,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.titlecolor": QUIET,
        "axes.titlelocation": "left",
        "axes.titlesize": FONT_SIZE,
        "grid.color": GRID,
        "lines.markeredgecolor": GROUND,
        "xtick.color": QUIET,
        "ytick.color": QUIET,
        "figure.facecolor": GROUND,
        "hatch.color": GROUND,
        "hatch.linewidth": 1.5,
    }
    return ["default", own]


def _axes(figure: "Figure", chart: Chart, plot: tuple[float, float], left: float) -> "Axes":
    """Return axes with this width and height in inches, below the title of the chart."""
    title = textwrap.wrap(chart.title, 50)
    above, below = LINE * (len(title) + 1.8), 0.6
    height = plot[1] + above + below
    figure.set_size_inches(WIDTH, height)
    figure.text(
        0.12 / WIDTH,
        1 - 0.1 / height,
        "\n".join(title),
        va="top",
        fontproperties={"weight": "bold", "size": FONT_SIZE * 1.05},
    )
    axes = figure.add_axes((left / WIDTH, below / height, plot[0] / WIDTH, plot[1] / height))
    axes.set_xlabel(chart.x, loc="left")
    return axes


def joined(series: list[Series]) -> list[Series]:
    """Merge series that coincide into one, whose name contains all of their names."""
    most = max((abs(y) for one in series for _, y in one.points), default=0)

    def coincide(a: Series, b: Series) -> bool:
        pairs = zip(a.points, b.points, strict=False)
        near = all(p[0] == q[0] and abs(p[1] - q[1]) <= most / 200 for p, q in pairs)
        return near and len(a.points) == len(b.points)

    found = []
    for group in _grouped(series, coincide):
        name, place = _common(group)
        name = SAME.format(name) if group[1:] else name
        found.append(replace(group[0], name=name, place=place))
    return found


def joined_bars(rows: list[BarSeries]) -> list[BarSeries]:
    """Merge rows that have the same values."""
    groups = _grouped(rows, lambda a, b: a.values == b.values)
    return [BarSeries(_common(group)[0], group[0].values, _common(group)[1]) for group in groups]


def _grouped(each: list[One], alike: Callable[[One, One], bool]) -> list[list[One]]:
    groups: list[list[One]] = []
    for one in each:
        group = next((group for group in groups if alike(group[0], one)), None)
        if group:
            group.append(one)
        else:
            groups.append([one])
    return groups


def _common(group: list[One]) -> tuple[str, str]:
    """Return the common name and place of series that coincide."""
    names = [one.name for one in group]
    before = {name.rpartition(", ")[0] for name in names}
    if len(before) == 1:  # "session, SQLite and MariaDB"
        names[1:] = [name.rpartition(", ")[2] for name in names[1:]]
    places = {one.place for one in group}
    return " and ".join(names), places.pop() if len(places) == 1 else ""


def _draw_lines(figure: "Figure", chart: Lines) -> None:
    """Draw the lines, each with its name at its end."""
    width = WIDTH - LEFT - RIGHT
    axes = _axes(figure, chart, (width, PLOT), LEFT)
    series = joined(chart.series)
    xs, ys = ([point[n] for one in series for point in one.points] for n in (0, 1))
    most_x, most_y = max(xs), (max(ys) * 1.05 or 1)
    labels = []
    for number, one in enumerate(series):
        # A line drawn underneath another one is wider, so that both are visible.
        wide = 2 + 2.4 * (len(series) - 1 - number) / max(1, len(series) - 1)
        colour = PLACES[one.place]
        axes.plot(
            *zip(*one.points, strict=True),
            color=colour,
            marker=MARKERS[number % len(MARKERS)],
            linestyle=DASHES[number % len(DASHES)],
            linewidth=wide,
            markersize=wide + 5,
            clip_on=False,
            zorder=3,
        )
        inches = [(x / most_x * width, y / most_y * PLOT) for x, y in one.points]
        ends = [f"({one.ends})"] if one.ends and one.points[-1][0] < most_x else []
        labels.append(Label([*textwrap.wrap(one.name, WRAP), *ends], colour, inches))
    axes.set(xlim=(0, most_x), ylim=(0, most_y))
    _tick(axes, "x", xs, width)
    _tick(axes, "y", ys)
    axes.set_title(chart.y)  # horizontal, above the axis
    for label in end_labels(labels, (width, PLOT), (LETTER, LINE)):
        x, y = label.x / width, label.y / PLOT
        if label.from_x is not None:
            line = [label.from_x / width, x - 0.01], [label.from_y / PLOT, y]
            axes.plot(*line, color=QUIET, lw=0.8, transform=axes.transAxes, clip_on=False)
        text = "\n".join(label.lines)
        axes.text(x, y, text, va="center", color=label.colour, transform=axes.transAxes)


def _draw_bars(figure: "Figure", chart: Bars) -> None:
    """Draw the bars, each as high as a line of text, with names and values beside them.

    The name of a group is above its bars, or beside them if each group has one bar.
    """
    rows, several = joined_bars(chart.rows), len(chart.rows) > 1
    room = len(rows) + 1.6 if several else 1.7
    labels = [
        [f"{row.name}: {_value(value)}" if several else _value(value) for value in row.values]
        for row in rows
    ]
    left = 0.15 if several else LETTER * max(map(len, chart.groups)) + 0.25
    right = LETTER * max(len(label) for row in labels for label in row) + 0.3
    width = WIDTH - left - right
    axes = _axes(figure, chart, (width, LINE * (room * len(chart.groups) - 0.4)), left)
    known = [value for row in rows for value in row.values if value is not None]
    most = max([*known, chart.aim or 0]) or 1
    for number, row in enumerate(rows):
        places = [room * n + number + several for n in range(len(chart.groups))]
        values = [value or 0 for value in row.values]
        hatch = HATCHES[number % len(HATCHES)]
        axes.barh(places, values, color=PLACES[row.place], hatch=hatch, height=0.85)
        for place, value, label in zip(places, values, labels[number], strict=True):
            # Without this, a label could cover the line of `aim`.
            x = value if chart.aim is None else most
            axes.text(x + most * 0.08 / width, place, label, va="center")
    if chart.aim is not None:
        axes.axvline(chart.aim, color=INK, linestyle=DASHES[1])
        axes.set_title(f"aim: at most {format_number(chart.aim)}", loc="right", color=INK)
    axes.set_xlim(0, most)
    _tick(axes, "x", known, width)
    places = [room * n for n in range(len(chart.groups))]
    axes.set_yticks([] if several else places, [] if several else chart.groups)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    for place, name in zip(places, chart.groups, strict=True) if several else ():
        axes.text(most * 0.05 / width, place, name, va="center", color=QUIET)
    axes.set_ylim(room * len(chart.groups) - 0.9, -0.6)
    axes.grid(visible=False, axis="y")


def _value(value: Number | None) -> str:
    return "–" if value is None else format_number(value)


def _tick(axes: "Axes", name: str, values: list[Number], width: float = PLOT) -> None:
    """Set as many ticks at round numbers as fit in this width, on the axis "x" or "y"."""
    from matplotlib.ticker import MaxNLocator

    axis = {"x": axes.xaxis, "y": axes.yaxis}[name]
    whole = all(value == int(value) for value in values)
    longest = LETTER * len(format_number(max(values, default=0))) + 0.2 if name == "x" else 0.5
    bins = max(1, min(5, int(width / longest)))
    axis.set_major_locator(MaxNLocator(nbins=bins, steps=[1, 2, 5, 10], integer=whole))
    axis.set_major_formatter(lambda value, _: format_number(value))


def format_number(value: Number) -> str:
    """Format a number, such as 1,200 or 0.05, as an integer or with three significant digits."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def stylesheet() -> str:
    """Return CSS rules for a chart's colours in light, dark and print, from palette.css."""
    light, _, dark = PALETTE.read_text(encoding="utf-8").partition("prefers-color-scheme: dark")
    rules = [_variables(light), _variables(dark)]
    return (
        f".labkit-chart{{{rules[0]}background:var(--surface)}}\n"
        '.labkit-chart text{font-family:system-ui,"DejaVu Sans",sans-serif!important}\n'
        f"@media screen and (prefers-color-scheme:dark){{.labkit-chart{{{rules[1]}}}}}\n"
    )


def _variables(css: str) -> str:
    found = dict(re.findall(r"(--[a-z]+):\s*([^;]+);", css))
    return "".join(f"{name}:{found[name]};" for name in VARIABLES.values())


def _make_accessible(drawing: str, chart: Chart, mark: str) -> str:
    """Add colour variables, a title and a description to matplotlib's drawing."""
    for colour, variable in VARIABLES.items():
        drawing = drawing.replace(colour, f"var({variable})")
    # Restrict the style rules to charts and remove unused IDs, so that a page can have several
    # charts.
    drawing = drawing.replace('<style type="text/css">*{', "<style>.labkit-chart *{")
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)', drawing))
    drawing = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", drawing)
    attributes, _, inside = drawing[drawing.index("<svg ") :].partition(">")
    drawing = (
        f'{attributes} class="labkit-chart" role="img" aria-labelledby="title-{mark}" '
        f'aria-describedby="about-{mark}">\n'
        f'<title id="title-{mark}">{escape(chart.title)}</title>\n'
        f'<desc id="about-{mark}">{escape(chart.about)}</desc>\n'
        f"<style>{stylesheet()}</style>{inside}"
    )
    return "\n".join(line.rstrip() for line in drawing.splitlines()) + "\n"
