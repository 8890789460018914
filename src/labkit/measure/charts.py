"""Draw charts as SVG files that are readable in the dark, in grey and by a screen reader.

The same chart always gives the same bytes. Text stays text, ink and background follow the reader's
colour scheme, and series differ in marker and dash (lines) or hatching (bars) as well as in colour.

Matplotlib draws them. pygal, which writes SVG itself, was tried instead: its lines all have the
same marker, its bars no hatching, its scales are both logarithmic or neither, it cuts long legends
off, and its files have the date but no description, so more code would be needed than here.
"""

import io
import json
import logging
import re
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.kept_files import write_whole
from labkit.processes.start import NotInstalled
from labkit.services.requirements import missing_tools

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Number = int | float

# Each has a contrast of at least 3:1 on white and on #111 (WCAG 1.4.11), so that one set is enough.
COLOURS = ["#0072b2", "#c8500a", "#00875f", "#b8609a", "#757575", "#8a6d00"]
MARKERS = ["o", "s", "^", "D", "v", "P"]
DASHES = ["-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)), (0, (10, 3)), (0, (1, 1))]
HATCHES = ["", "//", "..", "\\\\", "xx", "--"]
# Later lines are thinner, so that each is visible if several coincide.
THINNER = [1 - 0.06 * number for number in range(len(COLOURS))]

# Matplotlib draws with these; in the SVG file, CSS variables replace them.
INK, QUIET, GRID, GROUND = "#010203", "#020304", "#030405", "#040506"
VARIABLES = {INK: "--ink", QUIET: "--quiet", GRID: "--grid", GROUND: "--ground"}
STYLE = """
.labkit-chart{--ink:#1c1f23;--quiet:#54595f;--grid:#dddad3;--ground:#fff;background:var(--ground)}
.labkit-chart text{font-family:system-ui,"DejaVu Sans",sans-serif!important}
@media (prefers-color-scheme:dark){
.labkit-chart{--ink:#eceae5;--quiet:#b0b4b8;--grid:#3a3f44;--ground:#111}}
@media print{.labkit-chart{--ink:#000;--quiet:#333;--grid:#ccc;--ground:#fff}}
"""

# Inches, of 72 units in the drawing; on a phone it shrinks to a little over half.
WIDTH, PLOT, LINE = 7.0, 2.7, 0.245
FONT_SIZE = 11.5


@dataclass(frozen=True)
class Series:
    """A line of a chart: (x, y) points. `ends`: why there are no more, for the legend."""

    name: str
    points: Sequence[Sequence[Number]]
    ends: str = ""


@dataclass(frozen=True)
class Lines:
    """A chart of lines. `about` describes it for readers who cannot see it."""

    title: str
    about: str
    x: str
    y: str
    series: list[Series]
    log_x: bool = False
    log_y: bool = False
    kind: str = "lines"


@dataclass(frozen=True)
class BarSeries:
    """The bars of one series: a value for each group of the chart, None for no value."""

    name: str
    values: list[Number | None]


@dataclass(frozen=True)
class Bars:
    """A chart of horizontal bars with their values beside them. `aim`: a line to stay below."""

    title: str
    about: str
    x: str
    groups: list[str]
    rows: list[BarSeries]
    log_x: bool = False
    aim: Number | None = None
    kind: str = "bars"


Chart = Lines | Bars


def chart_of(content: dict[str, Any]) -> Chart:
    """Return the chart of which this is `asdict`. Raises KeyError, TypeError for anything else."""
    if content["kind"] == "bars":
        return Bars(**content | {"rows": [BarSeries(**row) for row in content["rows"]]})
    return Lines(**content | {"series": [Series(**one) for one in content["series"]]})


def need() -> None:
    """Raises NotInstalled, with the line that installs it, where matplotlib is not installed."""
    if missing := missing_tools(["matplotlib"]):
        raise NotInstalled(missing[0])


def draw_all(path: Path, content: dict[str, Any]) -> list[Path]:
    """Draw all charts of a file of results as NAME-CHART.svg beside NAME.json; return their paths.

    Raises NotInstalled.
    """
    drawn = []
    for name, chart in content["charts"].items():
        drawn.append(path.with_name(f"{path.stem}-{name}.svg"))
        write_whole(drawn[-1], svg(chart_of(chart), path.stem))
    return drawn


def svg(chart: Chart, of: str = "") -> str:
    """Return the chart as SVG, for a file or within a page.

    of: what it belongs to, if a page has the same chart of two things.
    Raises NotInstalled.
    """
    need()
    logging.getLogger("matplotlib.font_manager").setLevel(logging.WARNING)
    import matplotlib.style
    from matplotlib.figure import Figure

    mark = sha256(f"{of} {json.dumps(asdict(chart))}".encode()).hexdigest()[:8]
    text = io.StringIO()
    # The user's matplotlibrc does not change the picture.
    with matplotlib.style.context(_matplotlib_style(mark), after_reset=True):
        figure = Figure(layout="constrained")
        axes = figure.subplots()
        plot = _draw_lines(axes, chart) if isinstance(chart, Lines) else _draw_bars(axes, chart)
        handles, labels = axes.get_legend_handles_labels()
        title = textwrap.wrap(chart.title, 54)
        figure.set_size_inches(WIDTH, plot + LINE * (len(title) + len(labels)) + 1)
        figure.legend(
            handles,
            labels,
            title="\n".join(title),
            title_fontproperties={"weight": "bold", "size": FONT_SIZE * 1.1},
            alignment="left",
            loc="outside upper left",
        )
        axes.set_xlabel(chart.x)
        # Without a date, the same chart gives the same bytes.
        nothing = dict.fromkeys(["Creator", "Date", "Format", "Type"])
        figure.savefig(text, format="svg", metadata=nothing)
    return _make_accessible(text.getvalue(), chart, mark)


def _matplotlib_style(mark: str) -> list[Any]:
    from cycler import cycler

    looks = cycler(
        color=COLOURS,
        marker=MARKERS,
        linestyle=DASHES,
        linewidth=[2.4 * part for part in THINNER],
        markersize=[9 * part for part in THINNER],
    )
    own = {
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": mark,  # for IDs: the same in each run, different in each chart
        "font.family": "DejaVu Sans",  # comes with matplotlib; the fonts of readers are not wider
        "font.size": FONT_SIZE,
        "text.color": INK,
        "axes.prop_cycle": looks,
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
        "figure.constrained_layout.h_pad": 0.1,
        "figure.constrained_layout.w_pad": 0.15,
        "figure.facecolor": GROUND,
        "legend.frameon": False,
        "legend.handlelength": 4,  # room for a marker and two dashes beside it
        "hatch.color": GROUND,
        "hatch.linewidth": 1.5,
    }
    return ["default", own]


def _draw_lines(axes: "Axes", chart: Lines) -> float:
    """Draw the lines; return the height of the plot in inches."""
    for series in chart.series:
        xs, ys = zip(*series.points, strict=True)
        label = f"{series.name} ({series.ends})" if series.ends else series.name
        axes.plot(xs, ys, label=label, clip_on=False, zorder=3)
    _scale(axes, "x", chart.log_x, [x for s in chart.series for x, _ in s.points])
    _scale(axes, "y", chart.log_y, [y for s in chart.series for _, y in s.points])
    if not chart.log_y:
        axes.set_ylim(bottom=0)
    axes.set_title(chart.y)  # above the axis and upright, to be read without turning the head
    return PLOT + LINE


def _draw_bars(axes: "Axes", chart: Bars) -> float:
    """Draw the bars, each as high as a line of text; return the height of the plot in inches."""
    names = [textwrap.wrap(group, 26) for group in chart.groups]
    room = max(len(chart.rows), *map(len, names)) + 1
    beside = axes.get_yaxis_transform()  # x in widths of the plot, y in lines
    for number, row in enumerate(chart.rows):
        places = [room * n + number - (len(chart.rows) - 1) / 2 for n in range(len(names))]
        axes.barh(
            places,
            [value or 0 for value in row.values],
            hatch=HATCHES[number % len(HATCHES)],
            label=row.name if len(chart.rows) > 1 else None,
        )
        for place, value in zip(places, row.values, strict=True):
            label = "–" if value is None else format_number(value)
            axes.text(1.02, place, label, va="center", transform=beside)
    known = [value for row in chart.rows for value in row.values if value is not None]
    if chart.aim is not None:
        label = f"aim: at most {format_number(chart.aim)}"
        axes.axvline(chart.aim, color=INK, linestyle=DASHES[1], marker="", label=label)
        known.append(chart.aim)
    _scale(axes, "x", chart.log_x, known)
    if not chart.log_x:
        axes.set_xlim(left=0, right=max(known) * 1.02 or 1)
    # A tick for each line of a name: readers' fonts are narrower, and each line ends at the axis.
    lines = [
        (room * n + number - (len(name) - 1) / 2, line)
        for n, name in enumerate(names)
        for number, line in enumerate(name)
    ]
    axes.set_yticks([place for place, _ in lines], [line for _, line in lines])
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.set_ylim(room * (len(names) - 0.5), -room / 2)
    axes.grid(visible=False, axis="y")
    return LINE * room * len(names)


def _scale(axes: "Axes", name: str, log: bool, values: list[Number]) -> None:
    """Scale the axis "x" or "y"."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    axis = {"x": axes.xaxis, "y": axes.yaxis}[name]
    if log:
        axes.set(**{f"{name}scale": "log"})
        wide = min(values) > 0 and max(values) / min(values) > 500
        axis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0)))
        axis.minorticks_off()
    else:
        whole = all(value == int(value) for value in values)
        axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10], integer=whole))
    axis.set_major_formatter(lambda value, _: format_number(value))


def format_number(value: Number) -> str:
    """Format a number such as 1,200 or 0.05: whole, or with three significant digits."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _make_accessible(drawing: str, chart: Chart, mark: str) -> str:
    """Add variables for colours, a title and a description to what matplotlib drew."""
    for colour, variable in VARIABLES.items():
        drawing = drawing.replace(colour, f"var({variable})")
    # A page may have several charts, so rules are limited to charts, and unused IDs removed.
    drawing = drawing.replace('<style type="text/css">*{', "<style>.labkit-chart *{")
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)', drawing))
    drawing = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", drawing)
    attributes, _, inside = drawing[drawing.index("<svg ") :].partition(">")
    drawing = (
        f'{attributes} class="labkit-chart" role="img" aria-labelledby="title-{mark}" '
        f'aria-describedby="about-{mark}">\n'
        f'<title id="title-{mark}">{escape(chart.title)}</title>\n'
        f'<desc id="about-{mark}">{escape(chart.about)}</desc>\n'
        f"<style>{STYLE}</style>{inside}"
    )
    return "\n".join(line.rstrip() for line in drawing.splitlines()) + "\n"
