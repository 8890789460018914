"""Draw charts as SVG files that are readable in the dark, in grey and by a screen reader.

The same chart always gives the same bytes. Text stays text, ink and background follow the reader's
colour scheme, and series differ in marker and dash (lines) or hatching (bars) as well as in colour.

Matplotlib draws them. pygal, which writes SVG itself, was tried instead: its lines all have the
same marker, its bars no hatching, its scales are both logarithmic or neither, it cuts long legends
off, and its files have the date but no description, so more code would be needed than here.
"""

import io
import logging
import re
import textwrap
from dataclasses import asdict, dataclass
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.processes.start import NotInstalled
from labkit.services.requirements import missing_tools

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Number = int | float

# Each has a contrast of at least 3:1 on white and on #111 (WCAG 1.4.11), so that one set is enough.
COLOURS = ["#0072b2", "#c8500a", "#00875f", "#b8609a", "#757575", "#8a6d00"]
MARKERS = ["o", "s", "^", "D", "v", "P"]
DASHES = [(0, ()), (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)), (0, (10, 3)), (0, (1, 1))]
HATCHES = ["", "//", "..", "\\\\", "xx", "--"]

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

WIDTH = 7.0  # inches, of 72 units in the drawing; on a phone it shrinks to a little over half
FONT_SIZE = 11.5


@dataclass(frozen=True)
class Series:
    """A line of a chart: (x, y) points. `ends`: why there are no more, for the legend."""

    name: str
    points: list[tuple[Number, Number]]
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

    def as_json(self) -> dict[str, Any]:
        """Return what `chart_of` reads."""
        return {"kind": "lines", **asdict(self)}


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

    def as_json(self) -> dict[str, Any]:
        """Return what `chart_of` reads."""
        return {"kind": "bars", **asdict(self)}


Chart = Lines | Bars


def chart_of(content: dict[str, Any]) -> Chart:
    """Return the chart that `as_json` wrote. Raises KeyError, TypeError for anything else."""
    rest = {name: value for name, value in content.items() if name != "kind"}
    if content["kind"] == "bars":
        return Bars(**rest | {"rows": [BarSeries(**row) for row in rest["rows"]]})
    series = [
        Series(one["name"], [(x, y) for x, y in one["points"]], one["ends"])
        for one in rest["series"]
    ]
    return Lines(**rest | {"series": series})


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
        drawn[-1].write_text(svg(chart_of(chart), path.stem), encoding="utf-8", newline="\n")
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

    mark = sha256(f"{of} {chart!r}".encode()).hexdigest()[:8]
    text = io.StringIO()
    # The user's matplotlibrc does not change the picture.
    with matplotlib.style.context(_matplotlib_style(mark), after_reset=True):
        figure = Figure(figsize=(WIDTH, _height(chart)))
        axes = figure.add_axes(_place(chart))
        handles = _draw_lines(axes, chart) if isinstance(chart, Lines) else _draw_bars(axes, chart)
        axes.set_xlabel(chart.x)
        _write_title(figure, chart)
        _write_legend(figure, chart, handles)
        figure.savefig(text, format="svg")
    return _make_accessible(text.getvalue(), chart, mark)


def _matplotlib_style(mark: str) -> list[Any]:
    own = {
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": mark,  # for IDs: the same in each run, different in each chart
        "font.family": "DejaVu Sans",  # comes with matplotlib; the fonts of readers are not wider
        "font.size": FONT_SIZE,
        "text.color": INK,
        "axes.labelcolor": QUIET,
        "axes.edgecolor": QUIET,
        "axes.facecolor": GROUND,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid": True,
        "grid.color": GRID,
        "xtick.color": QUIET,
        "ytick.color": QUIET,
        "figure.facecolor": GROUND,
        "legend.frameon": False,
        "legend.handlelength": 4,  # room for a marker and two dashes beside it
        "hatch.color": GROUND,
        "hatch.linewidth": 1.5,
    }
    return ["default", own]


# Heights in inches. Each part has its own place, so that nothing overlaps.

LINE, PLOT, BELOW = 0.23, 2.7, 0.62
BAR = 0.27


def _title(chart: Chart) -> list[str]:
    return textwrap.wrap(chart.title, 54)


def _legend(chart: Chart) -> list[str]:
    if isinstance(chart, Bars):
        named = [row.name for row in chart.rows] if len(chart.rows) > 1 else []
        return [
            *named,
            *([] if chart.aim is None else [f"aim: at most {format_number(chart.aim)}"]),
        ]
    return [f"{s.name} ({s.ends})" if s.ends else s.name for s in chart.series]


def _above(chart: Chart) -> float:
    """Return the height above the plot: of the title, the legend, and the unit of lines."""
    unit = 1 if isinstance(chart, Lines) else 0
    return 0.2 + LINE * (1.15 * len(_title(chart)) + len(_legend(chart)) + unit + 0.6)


def _plot(chart: Chart) -> float:
    if isinstance(chart, Lines):
        return PLOT
    return sum(max(len(chart.rows) * BAR, _lines_of(group) * LINE) + 0.22 for group in chart.groups)


def _height(chart: Chart) -> float:
    return _above(chart) + _plot(chart) + BELOW


def _lines_of(group: str) -> int:
    return len(textwrap.wrap(group, 26)) or 1


def _place(chart: Chart) -> tuple[float, float, float, float]:
    """Return left, bottom, width and height of the plot, as fractions of the whole."""
    left, right, height = 0.75, 0.35, _height(chart)
    if isinstance(chart, Bars):
        longest = max(len(line) for g in chart.groups for line in textwrap.wrap(g, 26) or [""])
        left, right = 0.3 + 0.1 * longest, 0.85
    return left / WIDTH, BELOW / height, (WIDTH - left - right) / WIDTH, _plot(chart) / height


def _write_title(figure: "Figure", chart: Chart) -> None:
    height = _height(chart)
    for number, line in enumerate(_title(chart)):
        y = 1 - (0.2 + LINE * 1.15 * number) / height
        figure.text(0.15 / WIDTH, y, line, weight="bold", size=FONT_SIZE * 1.1, va="top")


def _write_legend(figure: "Figure", chart: Chart, handles: list[Any]) -> None:
    if handles:
        below = (0.2 + LINE * (1.15 * len(_title(chart)) + 0.1)) / _height(chart)
        figure.legend(
            handles,
            _legend(chart),
            loc="upper left",
            bbox_to_anchor=(0.12 / WIDTH, 1 - below),
            borderpad=0,
            borderaxespad=0.2,
            labelspacing=(LINE * 72 / FONT_SIZE) - 1.17,
        )


def _draw_lines(axes: "Axes", chart: Lines) -> list[Any]:
    """Draw the lines; return their handles for the legend."""
    handles = []
    for number, series in enumerate(chart.series):
        kind = number % len(COLOURS)
        # Later lines are thinner, so that each is visible if several coincide.
        finer = 1 - 0.06 * kind
        (line,) = axes.plot(
            [x for x, _ in series.points],
            [y for _, y in series.points],
            color=COLOURS[kind],
            linestyle=DASHES[kind],
            linewidth=2.4 * finer,
            marker=MARKERS[kind],
            markersize=9 * finer,
            markeredgecolor=GROUND,
            clip_on=False,
            zorder=3,
        )
        handles.append(line)
    _scale(axes.xaxis, chart.log_x, [x for s in chart.series for x, _ in s.points])
    _scale(axes.yaxis, chart.log_y, [y for s in chart.series for _, y in s.points])
    if not chart.log_y:
        axes.set_ylim(bottom=0)
    # Above the axis and upright, to be read without turning the head.
    axes.text(
        0, 1 + 0.12 / PLOT, chart.y, transform=axes.transAxes, color=QUIET, ha="left", va="bottom"
    )
    return handles


def _draw_bars(axes: "Axes", chart: Bars) -> list[Any]:
    """Draw the bars; return the handles for the legend."""
    handles: list[Any] = []
    at, ticks = 0.0, []
    tops = []
    for group in chart.groups:
        room = max(len(chart.rows) * BAR, _lines_of(group) * LINE) + 0.22
        ticks.append(at + room / 2)
        tops.append(at + room / 2 - len(chart.rows) * BAR / 2)
        at += room
    known = [value for row in chart.rows for value in row.values if value is not None]
    _scale(axes.xaxis, chart.log_x, [*known, *([] if chart.aim is None else [chart.aim])])
    if not chart.log_x:
        axes.set_xlim(left=0, right=max([*known, chart.aim or 0]) * 1.02 or 1)
    beside = axes.get_yaxis_transform()  # x in widths of the plot, y in units of the bars
    for number, row in enumerate(chart.rows):
        kind = number % len(COLOURS)
        places = [top + BAR * (number + 0.5) for top in tops]
        bars = axes.barh(
            places,
            [value or 0 for value in row.values],
            height=BAR * 0.8,
            color=COLOURS[kind],
            hatch=HATCHES[kind],
            edgecolor=GROUND,
            linewidth=0,
        )
        handles += [bars] if len(chart.rows) > 1 else []
        for place, value in zip(places, row.values, strict=True):
            label = "–" if value is None else format_number(value)
            axes.text(1.02, place, label, va="center", transform=beside)
    if chart.aim is not None:
        handles.append(axes.axvline(chart.aim, color=INK, linestyle=DASHES[1], linewidth=1.5))
    for tick, group in zip(ticks, chart.groups, strict=True):
        lines = textwrap.wrap(group, 26)
        for number, line in enumerate(lines):
            place = tick + LINE * (number - (len(lines) - 1) / 2)
            axes.text(-0.02, place, line, va="center", ha="right", transform=beside)
    axes.set_yticks([])
    axes.set_ylim(at, 0)
    axes.grid(visible=False, axis="y")
    return handles


def _scale(axis: Any, log: bool, values: list[Number]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    whole = all(value == int(value) for value in values)
    if log:
        axis._set_axes_scale("log")
        wide = min(values) > 0 and max(values) / min(values) > 500
        axis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0)))
        axis.set_minor_locator(NullLocator())
    else:
        axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 5, 10], integer=whole))
    axis.set_major_formatter(FuncFormatter(lambda value, _: format_number(value)))


def format_number(value: Number) -> str:
    """Format a number such as 1,200 or 0.05: whole, or with three significant digits."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _make_accessible(drawing: str, chart: Chart, mark: str) -> str:
    """Add variables for colours, a title and a description to what matplotlib drew."""
    for colour, variable in VARIABLES.items():
        drawing = drawing.replace(colour, f"var({variable})")
    drawing = drawing[drawing.index("<svg") :]
    drawing = re.sub(r"\s*<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    # A page may have several charts, so rules are limited to charts, and unused IDs removed.
    drawing = drawing.replace('<style type="text/css">*{', "<style>.labkit-chart *{")
    used = set(re.findall(r"url\(#([^)]+)\)|href=\"#([^\"]+)\"", drawing))
    kept = {one or other for one, other in used}
    drawing = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in kept else "", drawing)
    head = (
        f'<title id="title-{mark}">{escape(chart.title)}</title>\n'
        f'<desc id="about-{mark}">{escape(chart.about)}</desc>\n'
        f"<style>{STYLE}</style>\n"
    )
    attributes = (
        f'class="labkit-chart" role="img" aria-labelledby="title-{mark}" '
        f'aria-describedby="about-{mark}" '
    )
    drawing = drawing.replace("<svg ", f"<svg {attributes}", 1)
    drawing = re.sub(r"(<svg [^>]*>\s*)", lambda found: found[1] + head, drawing, count=1)
    return "\n".join(line.rstrip() for line in drawing.splitlines()) + "\n"
