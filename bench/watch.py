"""Measure how soon `lab check --watch` reports its first result after a save.

    python bench/watch.py

Measurements of the check alternate with runs of pytest on one test of the lab. The check copies and
reads the student's files, and starts with the test that failed last. This script does not wait for
the other tests.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import common

from labkit.catalog import Catalog
from labkit.measure.charts import Bars, BarSeries
from labkit.practice.check import CheckResult, check
from labkit.practice.copies import copy

AIM = 2.0
ROUNDS = 5
NUMBER = "04"
TEST = "TestCart::test_adding_again_adds_up"
ASKED, PROMISED = f"tests/test_cart.py::{TEST}", f"tests/test_the_contract.py::{TEST}"


class Answered(Exception):
    """Raised to stop a check after its first result."""


def first_answer(checkout: Catalog, folder: Path) -> float:
    """Return the seconds from a save to the first result."""
    begin = time.perf_counter()
    seconds = 0.0

    def answer(result: CheckResult) -> None:
        nonlocal seconds
        seconds = time.perf_counter() - begin  # ending the check takes longer
        if (result.id, result.outcome) != (PROMISED, "passed"):
            raise RuntimeError(f"The first result is {result.outcome}: {result.id}")
        raise Answered

    try:
        made, lab = checkout.copy_in(folder), checkout.find(NUMBER)
        check(checkout, made, lab, first=[PROMISED], on_first=answer)
    except Answered:
        return seconds
    raise RuntimeError("The check reported no result.")


def single_test(checkout: Catalog) -> float:
    """Return the seconds that pytest takes for one test of the lab."""
    test = f"{checkout.find(NUMBER).folder}/{ASKED}"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test]
    environ = {name: value for name, value in os.environ.items() if name not in common.UNSET}
    begin = time.perf_counter()
    subprocess.run(command, cwd=common.ROOT, env=environ, capture_output=True, check=True)
    return time.perf_counter() - begin


def measure(rounds: int) -> dict[str, Any]:
    """Return the seconds for both, and their ratio."""
    checkout = Catalog(common.ROOT)
    answers, singles = [], []
    with tempfile.TemporaryDirectory() as home, common.Steps(rounds + 1) as steps:
        folder = Path(home).resolve() / "mine"
        copy(checkout, checkout.find(NUMBER), folder)
        for number in range(rounds + 1):
            steps.begin(f"round {number}")
            pair = single_test(checkout), first_answer(checkout, folder)
            steps.done()
            # The first round is not counted, because it reads all files for the first time.
            if number:
                singles.append(pair[0])
                answers.append(pair[1])
    return {
        "seconds": statistics.median(answers),
        "single_seconds": statistics.median(singles),
        "ratio": statistics.median(a / b for a, b in zip(answers, singles, strict=True)),
    }


def charts(figures: dict[str, Any]) -> dict[str, Any]:
    """Return a chart with a bar for each of the two."""
    return {
        "first": Bars(
            "The first result after a save",
            "Seconds until lab check --watch reports a result, and of pytest with that test.",
            "seconds",
            ["lab check --watch", "pytest, one test"],
            [BarSeries("seconds", [figures["seconds"], figures["single_seconds"]], "server")],
        )
    }


def main() -> None:
    """Measure, print and write the figures."""
    options = common.parser(__doc__).parse_args()
    found = measure(1 if options.tiny else ROUNDS)
    common.console.print(
        f"first result {found['seconds']:.2f} s, one test {found['single_seconds']:.2f} s, "
        f"ratio {found['ratio']:.2f} (target: ≤ {AIM})"
    )
    common.keep(options, "watch", found, charts(found), "sqlite")


if __name__ == "__main__":
    main()
