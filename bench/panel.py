"""Measure the cost of the exchange panel: the same page with it and without, as a ratio.

    python bench/panel.py

Two processes serve the same lab, one with LAB_PANEL=0, and are asked for batches of the same page
in turns. The time is that of the processor, so that a busy machine does not count. The opened panel
is measured apart. The aim is a ratio of at most 1.10.
"""

import contextlib
import statistics
import tempfile
from typing import Any

import common
from cost import CART
from rich.progress import track
from rich.table import Table
from turns import Process

from labkit.measure.charts import Bars, BarSeries

ROUNDS = 40
PAGES = [("03", "/"), ("03", "/display/"), ("04", "/"), ("04", "/display/"), ("04", "/info/")]
AIM = 1.10


def measure(rounds: int) -> dict[str, Any]:
    """Return {"pages": one entry for each, "opened": milliseconds of the opened panel}."""
    pages = []
    with contextlib.ExitStack() as stack:
        processes: dict[str, dict[str, Process]] = {}
        for number in sorted({number for number, _ in PAGES}):
            processes[number] = {}
            for kind in ("quiet", "whole"):
                state = stack.enter_context(tempfile.TemporaryDirectory())
                processes[number][kind] = Process(number, kind, state, CART)
                stack.callback(processes[number][kind].stop)
        for number, path in track(PAGES, transient=True, console=common.console):
            pair = list(processes[number].values())
            for process in pair:
                process.ask("begin")
                process.ask("seconds", path)
            times = [[process.ask("seconds", path) for process in pair] for _ in range(rounds)]
            quiet, whole = (1000 * statistics.median(each) for each in zip(*times, strict=True))
            ratio = statistics.median(b / a for a, b in times)
            pages.append(
                {"lab": number, "path": path, "quiet": quiet, "whole": whole, "ratio": ratio}
            )
        opened = statistics.median(processes["04"]["whole"].ask("opened_panel") for _ in range(5))
    return {"pages": pages, "opened": 1000 * opened}


def tell(figures: dict[str, Any]) -> None:
    """Print a line for each page."""
    table = Table("page", "without the line", "with it", "ratio", box=None)
    for row in figures["pages"]:
        table.add_row(
            f"{row['lab']} {row['path']}",
            f"{row['quiet']:.3f} ms",
            f"{row['whole']:.3f} ms",
            f"{row['ratio']:.2f}",
        )
    common.console.print(table)
    common.console.print(f"the opened panel itself: {figures['opened']:.1f} ms")


def charts(figures: dict[str, Any]) -> dict[str, Any]:
    """Return a chart with a bar for each page."""
    rows = figures["pages"]
    return {
        "pages": Bars(
            "What the exchange panel costs a page",
            "A ratio of processor time for each page, with the panel and without; 1 is no cost.",
            "times the time without the panel",
            [f"lab {row['lab']}, {row['path']}" for row in rows],
            [BarSeries("ratio", [row["ratio"] for row in rows], "server")],
            aim=AIM,
        )
    }


def main() -> None:
    """Measure, print and write the figures."""
    options = common.parser(__doc__).parse_args()
    figures = measure(1 if options.tiny else ROUNDS)
    tell(figures)
    common.keep(options, "panel", figures, charts(figures), "sqlite")


if __name__ == "__main__":
    main()
