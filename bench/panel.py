"""Measure the cost of the exchange panel: a page's time with it, divided by the time without.

    python bench/panel.py

Two processes serve the same lab, one of them with LAB_PANEL=0. They alternately get batches of
requests for the same page. The measurement is repeated with new processes, and the result is the
median of the ratios. Processor time is measured, because other load on the machine hardly affects
it. The target is a ratio of at most 1.10. The open panel is measured separately, and so is the page
of a whole visit, as a ratio to an ordinary page.
"""

import contextlib
import statistics
import tempfile
from typing import Any

import common
from cost import CART
from rich.progress import track
from rich.table import Table
from turns import VISIT, Process

from labkit.measure.charts import Bars, BarSeries

ROUNDS = 12
PAIRS = 9  # the number of pairs of processes; a page's time differs by 10 % between processes
PAGES = [("03", "/"), ("03", "/display/"), ("04", "/"), ("04", "/display/"), ("04", "/info/")]
AIM = 1.10


def measure(rounds: int, pairs: int) -> dict[str, Any]:
    """Return {"pages": an entry for each page, "opened": milliseconds for the opened panel,
    "visit": how many times as long as /display/ the page of a visit with 500 exchanges takes}.
    """
    times: dict[tuple[str, str], list[tuple[float, float]]] = {page: [] for page in PAGES}
    opened, visits = [], []
    turns = [(number, turn) for turn in range(pairs) for number in sorted({n for n, _ in PAGES})]
    for number, _ in track(turns, transient=True, console=common.console):
        with contextlib.ExitStack() as stack:
            pair = []
            for kind in ("quiet", "whole"):
                state = stack.enter_context(tempfile.TemporaryDirectory())
                pair.append(Process(number, kind, state, CART))
                stack.callback(pair[-1].stop)
            for page in PAGES:
                if page[0] == number:
                    times[page].append(_page(pair, page[1], rounds))
            opened.append(pair[1].ask("opened_panel"))
            visits.append(pair[1].ask("visit_page") / pair[1].ask("seconds", "/display/"))
    pages = []
    for (number, path), each in times.items():
        quiet, whole = (1000 * statistics.median(side) for side in zip(*each, strict=True))
        ratio = statistics.median(b / a for a, b in each)
        pages.append({"lab": number, "path": path, "quiet": quiet, "whole": whole, "ratio": ratio})
    opened_panel, visit = 1000 * statistics.median(opened), statistics.median(visits)
    return {"pages": pages, "opened": opened_panel, "visit": visit}


def _page(pair: list[Process], path: str, rounds: int) -> tuple[float, float]:
    """Return the median number of seconds for a page without the panel, and with it."""
    for process in pair:
        process.ask("begin")
        process.ask("seconds", path)
    times = [[process.ask("seconds", path) for process in pair] for _ in range(rounds)]
    quiet, whole = (statistics.median(side) for side in zip(*times, strict=True))
    return quiet, whole


def tell(figures: dict[str, Any]) -> None:
    """Print a line for each page."""
    table = Table("page", "without the panel", "with it", "ratio", box=None)
    for row in figures["pages"]:
        table.add_row(
            f"{row['lab']} {row['path']}",
            f"{row['quiet']:.3f} ms",
            f"{row['whole']:.3f} ms",
            f"{row['ratio']:.2f}",
        )
    common.console.print(table)
    common.console.print(f"The opened panel itself: {figures['opened']:.1f} ms")
    common.console.print(f"A visit of {VISIT} exchanges: {figures['visit']:.0f} times /display/")


def charts(figures: dict[str, Any]) -> dict[str, Any]:
    """Return a chart with a bar for each page."""
    rows = figures["pages"]
    return {
        "pages": Bars(
            "The cost of the exchange panel for a page",
            "Ratio of processor time with the panel and without. 1 means no cost.",
            "times the time without the panel",
            [f"lab {row['lab']}, {row['path']}" for row in rows],
            [BarSeries("ratio", [row["ratio"] for row in rows], "server")],
            aim=AIM,
        )
    }


def main() -> None:
    """Measure, print and write the figures."""
    options = common.parser(__doc__).parse_args()
    figures = measure(1, 1) if options.tiny else measure(ROUNDS, PAIRS)
    tell(figures)
    common.keep(options, "panel", figures, charts(figures), "sqlite")


if __name__ == "__main__":
    main()
