"""Charts of figures as SVG: drawn by matplotlib, readable in the dark, in grey and by ear.

The same chart always gives the same bytes. Text stays text, ink and ground follow the reader's
colour scheme, and series differ in marker and dash (lines) or in hatching (bars) besides colour.

    chart = Lines("Bytes per request", "A cart in cookies goes up with every request.",
                  "items in the cart", "bytes", [Series("cookies", [(1, 90), (20, 1600)])],
                  log_x=True)
    Path("bytes.svg").write_text(svg(chart))
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

# Each has 3:1 and more on white and on #111 (WCAG 1.4.11): one colour serves both grounds.
COLOURS = ["#0072b2", "#c8500a", "#00875f", "#b8609a", "#757575", "#8a6d00"]
MARKERS = ["o", "s", "^", "D", "v", "P"]
DASHES = [(0, ()), (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)), (0, (10, 3)), (0, (1, 1))]
HATCHES = ["", "//", "..", "\\\\", "xx", "--"]

# Stand-ins that matplotlib draws with; a style sheet's variables take their place.
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
    """One line of a chart: (x, y) points. `ends` says why there are no more, for the legend."""

    name: str
    points: list[tuple[Number, Number]]
    ends: str = ""


@dataclass(frozen=True)
class Lines:
    """A chart of lines. `about` says in a sentence what it shows, to who cannot see it."""

    title: str
    about: str
    x: str
    y: str
    series: list[Series]
    log_x: bool = False
    log_y: bool = False

    def as_json(self) -> dict[str, Any]:
        """What `chart_of` makes this chart from."""
        return {"kind": "lines", **asdict(self)}


@dataclass(frozen=True)
class Row:
    """The bars of one series, one for each of the chart's groups; None where there is nothing."""

    name: str
    values: list[Number | None]


@dataclass(frozen=True)
class Bars:
    """A chart of horizontal bars, each with its value behind it. `aim` is a line to stay below."""

    title: str
    about: str
    x: str
    groups: list[str]
    rows: list[Row]
    log_x: bool = False
    aim: Number | None = None

    def as_json(self) -> dict[str, Any]:
        """What `chart_of` makes this chart from."""
        return {"kind": "bars", **asdict(self)}


Chart = Lines | Bars


def chart_of(content: dict[str, Any]) -> Chart:
    """The chart that `as_json` wrote. Raises KeyError, TypeError for anything else."""
    rest = {name: value for name, value in content.items() if name != "kind"}
    if content["kind"] == "bars":
        return Bars(**rest | {"rows": [Row(**row) for row in rest["rows"]]})
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
    """Draw all charts of this content of figures.read: NAME-CHART.svg beside NAME.json.

    Raises NotInstalled.
    """
    drawn = []
    for name, chart in content["charts"].items():
        drawn.append(path.with_name(f"{path.stem}-{name}.svg"))
        drawn[-1].write_text(svg(chart_of(chart), path.stem), encoding="utf-8", newline="\n")
    return drawn


def svg(chart: Chart, of: str = "") -> str:
    """This chart as an SVG document, which can stand in a file or within a page.

    `of` names what it belongs to, where the same chart of two things stands in one page.
    Raises NotInstalled.
    """
    need()
    logging.getLogger("matplotlib.font_manager").setLevel(logging.WARNING)
    import matplotlib.style
    from matplotlib.figure import Figure

    mark = sha256(f"{of} {chart!r}".encode()).hexdigest()[:8]
    text = io.StringIO()
    # Whoever has a matplotlibrc of his own gets the same picture.
    with matplotlib.style.context(_style(mark), after_reset=True):
        figure = Figure(figsize=(WIDTH, _height(chart)))
        axes = figure.add_axes(_place(chart))
        if isinstance(chart, Lines):
            _draw_lines(axes, chart)
        else:
            _draw_bars(axes, chart)
        _write_title(figure, chart)
        figure.savefig(text, format="svg")
    return _finished(text.getvalue(), chart, mark)


def _style(mark: str) -> list[Any]:
    own = {
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": mark,  # names of clip paths: the same at each run, others in each chart
        "font.family": "DejaVu Sans",  # comes with matplotlib; what is shown in is no wider
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


# Heights in inches: everything has a place of its own, so nothing can lie on something else.

LINE, PLOT, BELOW = 0.23, 2.7, 0.62
BAR = 0.27


def _title(chart: Chart) -> list[str]:
    return textwrap.wrap(chart.title, 54)


def _legend(chart: Chart) -> list[str]:
    if isinstance(chart, Bars):
        named = [row.name for row in chart.rows] if len(chart.rows) > 1 else []
        return [*named, *([] if chart.aim is None else [f"aim: at most {plain(chart.aim)}"])]
    return [f"{s.name} ({s.ends})" if s.ends else s.name for s in chart.series]


def _above(chart: Chart) -> float:
    """What stands above the plot: the title, the legend, and what lines measure."""
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
    """Left, bottom, width and height of the plot, as parts of the whole."""
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


def _draw_lines(axes: "Axes", chart: Lines) -> None:
    handles = []
    for number, series in enumerate(chart.series):
        kind = number % len(COLOURS)
        # What is drawn later is finer: of lines that are one, each can still be seen.
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
    axes.set_xlabel(chart.x)
    # Above its axis and upright: nobody turns his head.
    axes.text(
        0, 1 + 0.12 / PLOT, chart.y, transform=axes.transAxes, color=QUIET, ha="left", va="bottom"
    )
    figure = axes.get_figure(root=True)
    assert figure is not None
    _write_legend(figure, chart, handles)


def _draw_bars(axes: "Axes", chart: Bars) -> None:
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
    beside = axes.get_yaxis_transform()  # x in widths of the plot, y as the bars have it
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
            label = "–" if value is None else plain(value)
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
    axes.set_xlabel(chart.x)
    figure = axes.get_figure(root=True)
    assert figure is not None
    _write_legend(figure, chart, handles)


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
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))


def plain(value: Number) -> str:
    """A number as people write it: 1,200 and 0.05; three digits where it is no whole one."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _finished(drawing: str, chart: Chart, mark: str) -> str:
    """What matplotlib drew, with variables for its stand-ins, and words for who cannot see it."""
    for colour, variable in VARIABLES.items():
        drawing = drawing.replace(colour, f"var({variable})")
    drawing = drawing[drawing.index("<svg") :]
    drawing = re.sub(r"\s*<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    # Several charts may stand in one page: rules for this one alone, and no name without a use.
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
