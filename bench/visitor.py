"""Measure the cost of the tests' visitor, compared with django.test.Client for the same page.

    python bench/visitor.py

The target is a ratio of at most 1.30.
"""

import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

import common
import django
from django.conf import settings
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.test.utils import setup_test_environment
from django.urls import path
from rich.table import Table

from labkit.measure.charts import Bars, BarSeries
from labkit.testing import Visitor

REQUESTS = 50  # in one measurement
ROUNDS = 15
AIM = 1.30


def seconds(client: Client, page: str) -> float:
    """Return the seconds per request, as the mean of one measurement."""
    begin = time.perf_counter()
    for _ in range(REQUESTS):
        client.get(page)
    return (time.perf_counter() - begin) / REQUESTS


def of_lab(number: str, rounds: int) -> list[dict[str, Any]]:
    """Return an entry for each page of this lab. Call this in a separate process for each lab."""
    sys.path.insert(0, str(common.lab_folder(number)))
    os.environ["DJANGO_SETTINGS_MODULE"] = "lab.settings"
    django.setup()
    setup_test_environment()
    if settings.DATABASES:
        call_command("migrate", verbosity=0)
    patterns = importlib.import_module(settings.ROOT_URLCONF).urlpatterns
    patterns.append(path("bare/", lambda request: HttpResponse("bare")))
    clients = [Client(SERVER_NAME="127.0.0.1"), Visitor()]
    for client in clients:
        token = str(client.get("/add/").context["csrf_token"])
        for name in ("apple", "pear", "plum"):
            fields = {"name": name, "quantity": 1, "csrfmiddlewaretoken": token}
            assert client.post("/add/", fields).status_code == 302
    found = []
    for page in ("/bare/", "/", "/display/", "/add/"):
        rows = [[seconds(client, page) for client in clients] for _ in range(rounds)]
        ratio = statistics.median(visitor / plain for plain, visitor in rows)
        plain, visitor = (statistics.median(column) * 1000 for column in zip(*rows, strict=True))
        row = {"lab": number, "path": page, "client": plain, "visitor": visitor, "ratio": ratio}
        found.append(row)
    return found


def measure(rounds: int) -> list[dict[str, Any]]:
    """Measure both carts, each in a separate process."""
    figures = []
    numbers = ("03", "04")
    with common.Steps(len(numbers)) as steps:
        for number in numbers:
            steps.begin(f"lab {number}")
            with tempfile.TemporaryDirectory() as state:
                done = subprocess.run(
                    [sys.executable, __file__, "--lab", number, "--rounds", str(rounds)],
                    env=common.environment(LAB_STATE_DIR=state),
                    stdout=subprocess.PIPE,
                    check=True,
                )
            figures += json.loads(done.stdout)
            steps.done()
    return figures


def tell(figures: list[dict[str, Any]]) -> None:
    """Print a line for each page."""
    table = Table("page", "Client", "Visitor", "ratio", box=None)
    for row in figures:
        times = [f"{row[name]:.3f} ms" for name in ("client", "visitor")]
        table.add_row(f"{row['lab']} {row['path']}", *times, f"{row['ratio']:.2f}")
    common.console.print(table)


def charts(figures: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a chart with a bar for each page."""
    return {
        "pages": Bars(
            "The cost of a visitor in a test",
            "Ratio of the times with labkit's Visitor and with django.test.Client, for each page.",
            "times the time with django.test.Client",
            [f"lab {row['lab']}, {row['path']}" for row in figures],
            [BarSeries("ratio", [row["ratio"] for row in figures], "server")],
            aim=AIM,
        )
    }


def main() -> None:
    """Measure, print and write the figures."""
    parser = common.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="measurements per page")
    parser.add_argument("--lab", help="(for internal use)")
    options = parser.parse_args()
    if options.lab:
        sys.stdout.write(json.dumps(of_lab(options.lab, options.rounds)))
        return
    figures = measure(1 if options.tiny else options.rounds)
    tell(figures)
    common.keep(options, "visitor", figures, charts(figures), "sqlite")


if __name__ == "__main__":
    main()
