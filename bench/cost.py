"""Measure the cost of labkit: each page of each lab, compared with the same page without labkit.

    python bench/cost.py

The page without labkit has the lab's own view, template and session engine in a plain Django
project. It has no middleware, app, template tag or form field of labkit (bench/turns.py removes
them). The script first checks that both pages have the same content. Then it requests batches of
each page alternately, and measures processor time. The target is a ratio of at most 1.10, or at
most 0.06 ms more.

Two processes with the same code differ by several percent, depending on where their memory lies. So
each page is measured in several sets of processes, and the figures are medians.

For lab 04, two parts of the cost are measured separately: the exchange panel, which LAB_PANEL=0
turns off, and the options that let SQLite serve a class. Both pages have these options.
"""

import contextlib
import re
import statistics
import tempfile
from typing import Any

import common
from rich.table import Table
from turns import Forms, Process

from labkit.catalog import Catalog
from labkit.measure.charts import Bars, BarSeries

SETS = 8  # of processes
ROUNDS = 3  # batches in each set
AIM = 1.10
LEAST = 0.06  # milliseconds that labkit may add to any page
CLOSER = "04"  # the lab for which the cost of each part is measured
GOODS = [{"name": name, "quantity": "3"} for name in ("apple", "pear", "plum")]
CART = [("/add/", "/add/", goods) for goods in GOODS]
# Forms that the visitor sends first, so that the pages have content.
FORMS: dict[str, Forms] = {
    "03": CART,
    "04": CART,
    "07": [("/", "/greet/", {"name": "Anu", "remember": "3min"})],
    "08": [("/student/set/", "/student/set/", {"name": "Anu", "email": "anu@example.org"})],
    "10": CART,
    "11": [("/", "/add/", goods) for goods in GOODS],
}
# Pages whose URLs have a variable part.
MORE = {"05": [f"/{carrier}/name/" for carrier in ("cookie", "session", "hidden", "key_in_url")]}


def sense(body: str) -> tuple[list[str], list[str]]:
    """Return the tags and words of a page, without numbers, units of time, keys and tokens."""
    main = body.partition("<main")[2].partition("</main>")[0]
    text = re.sub(r"<[^>]*>|\b(minute|second)s?\b", " ", main)  # 2 minutes, or 1 minute 59 seconds
    return re.findall(r"<\w+", main), [word for word in text.split() if word.isalpha()]


def pages(number: str, whole: Process, bare: Process) -> list[str]:
    """Return the pages with status 200. Raises RuntimeError if a page differs without labkit."""
    found = []
    for path in [*whole.ask("paths"), *MORE.get(number, [])]:
        whole.ask("begin")
        bare.ask("begin")
        (_, status, body), (_, other, plain) = (one.ask("page", path) for one in (whole, bare))
        if status != other or (status == 200 and sense(body) != sense(plain)):
            raise RuntimeError(f"lab {number} shows a different page without labkit at {path}")
        if status == 200:
            found.append(path)
    return found


def compare(path: str, processes: dict[str, Process], rounds: int) -> dict[str, float]:
    """Return {kind: milliseconds of processor time} for a page."""
    for process in processes.values():
        process.ask("begin")
        process.ask("seconds", path)
    times: dict[str, list[float]] = {kind: [] for kind in processes}
    for number in range(rounds):
        kinds = list(processes) if number % 2 else list(reversed(processes))
        for kind in kinds:
            times[kind].append(processes[kind].ask("seconds", path))
    return {kind: statistics.median(each) * 1000 for kind, each in times.items()}


def row_of(lab: str, path: str, found: list[dict[str, float]], calls: list[str]) -> dict[str, Any]:
    """Return the figures for a page, from its milliseconds in each set of processes."""
    middle = {kind: statistics.median(each[kind] for each in found) for kind in found[0]}
    ratios = {kind: ms / middle["bare"] for kind, ms in middle.items() if kind != "bare"}
    return {"lab": lab, "path": path, "milliseconds": middle, "ratios": ratios, "calls": calls}


def beyond_aim(figures: list[dict[str, Any]]) -> list[str]:
    """Return the pages, such as "04 /add/", to which labkit adds more than the target."""
    return [
        f"{row['lab']} {row['path']}"
        for row in figures
        if row["milliseconds"]["whole"]
        > max(AIM * row["milliseconds"]["bare"], LEAST + row["milliseconds"]["bare"])
    ]


def measure(numbers: list[str], sets: int, rounds: int) -> list[dict[str, Any]]:
    """Return the figures for each page of these labs."""
    figures = []
    with common.Steps(len(numbers) * sets) as steps:
        for number in numbers:
            steps.begin(f"lab {number}")
            kinds = ["whole", "bare", *(["quiet", "default"] if number == CLOSER else [])]
            found: dict[str, list[dict[str, float]]] = {}
            calls: dict[str, list[str]] = {}
            for _ in range(sets):
                with contextlib.ExitStack() as stack:
                    processes = {}
                    for kind in kinds:
                        state = stack.enter_context(tempfile.TemporaryDirectory())
                        processes[kind] = Process(number, kind, state, FORMS.get(number, []))
                        stack.callback(processes[kind].stop)
                    there = pages(number, processes["whole"], processes["bare"])
                    for path in there:
                        found.setdefault(path, []).append(compare(path, processes, rounds))
                        calls[path] = processes["bare"].ask("calls", path)
                        steps.done(1 / len(there))
            figures += [row_of(number, path, found[path], calls[path]) for path in found]
    return figures


def by_lab(figures: list[dict[str, Any]]) -> dict[str, float]:
    """Return {lab: the ratio of the times for all of its pages}."""
    labs: dict[str, list[dict[str, float]]] = {}
    for row in figures:
        labs.setdefault(row["lab"], []).append(row["milliseconds"])
    return {
        lab: sum(ms["whole"] for ms in rows) / sum(ms["bare"] for ms in rows)
        for lab, rows in labs.items()
    }


def tell(figures: list[dict[str, Any]]) -> None:
    """Print a line for each page, and a line for each lab."""
    table = Table("page", "without labkit", "lab", "ratio", "labkit functions in both")
    table.box = None
    for row in figures:
        ms, ratios = row["milliseconds"], row["ratios"]
        table.add_row(
            f"{row['lab']} {row['path']}",
            f"{ms['bare']:.2f} ms",
            f"{ms['whole']:.2f} ms",
            f"{ratios['whole']:.2f}",
            ", ".join(call.rpartition(".")[2] for call in row["calls"]),
        )
    common.console.print(table)
    for row in figures:
        if row["lab"] == CLOSER:
            common.console.print(
                f"{row['lab']} {row['path']}: {row['ratios']['quiet']:.2f} without the panel; "
                f"{row['ratios']['default']:.2f} without labkit, SQLite with Django's options"
            )
    labs = ", ".join(f"{lab} {ratio:.2f}" for lab, ratio in by_lab(figures).items())
    common.console.print(f"All pages of a lab: {labs} (target: at most {AIM:.2f})")
    far = beyond_aim(figures)
    common.console.print(
        f"{len(figures) - len(far)} of {len(figures)} pages are within {AIM:.2f} times or "
        f"{LEAST} ms more (target: all){': not ' * bool(far)}{', '.join(far)}"
    )


def charts(figures: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a chart with a bar for each lab."""
    ratios = by_lab(figures)
    return {
        "labs": Bars(
            "The cost of labkit: time of a lab's pages, compared with the same pages without it",
            "Ratio of processor time for each lab, over all of its pages. 1 means no cost.",
            "times the time without labkit",
            [f"lab {lab}" for lab in ratios],
            [BarSeries("ratio", list(ratios.values()), "server")],
            aim=AIM,
        )
    }


def main() -> None:
    """Measure, print and write the figures."""
    parser = common.parser(__doc__)
    parser.add_argument("--only", metavar="LABS", help="only these labs, such as 03,04")
    parser.add_argument("--sets", type=int, default=SETS, help="how many sets of processes")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="batches of a page in each set")
    options = parser.parse_args()
    numbers = [lab.number for lab in Catalog(common.ROOT).labs]
    if options.only:
        numbers = [number for number in numbers if number in options.only.split(",")]
    sets, rounds = (1, 1) if options.tiny else (options.sets, options.rounds)
    figures = measure(numbers, sets, rounds)
    tell(figures)
    common.keep(options, "cost", figures, charts(figures), "sqlite")


if __name__ == "__main__":
    main()
