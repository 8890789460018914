"""What the visitor costs per request, against django.test.Client on the same page in the same run.

Usage: python bench/visitor.py [--rounds N]. The aim is a ratio of at most 1.30.
"""

import argparse
import importlib
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.test.utils import setup_test_environment
from django.urls import path

from labkit.testing import Visitor

ROOT = Path(__file__).parents[1]
REQUESTS = 50  # in one measurement


def seconds(client: Client, page: str) -> float:
    """Seconds per request, over one measurement."""
    begin = time.perf_counter()
    for _ in range(REQUESTS):
        client.get(page)
    return (time.perf_counter() - begin) / REQUESTS


def measure(lab: str, rounds: int) -> None:
    """Print one line for each page of this lab. Needs a process of its own for each lab."""
    sys.path.insert(0, str(ROOT / "labs" / lab))
    state = tempfile.TemporaryDirectory()
    os.environ |= {"DJANGO_SETTINGS_MODULE": "lab.settings", "LAB_DEBUG": "0"}
    os.environ |= {"LAB_STATE_DIR": state.name}
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
    for page in ("/bare/", "/", "/display/", "/add/"):
        rows = [[seconds(client, page) for client in clients] for _ in range(rounds)]
        ratio = statistics.median(visitor / plain for plain, visitor in rows)
        plain, visitor = (statistics.median(column) * 1000 for column in zip(*rows, strict=True))
        print(  # noqa: T201
            f"{lab:16} {page:10} Client {plain:6.3f} ms   Visitor {visitor:6.3f} ms   "
            f"ratio {ratio:.2f}"
        )


def main() -> None:
    """Measure both carts, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="measurements per page (15)")
    parser.add_argument("--lab", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.lab:
        measure(options.lab, options.rounds)
        return
    print(  # noqa: T201
        f"Median time per request, three items in the cart; Python {platform.python_version()}, "
        f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}"
    )
    for lab in ("03_cookie_cart", "04_session_cart"):
        command = [sys.executable, __file__, "--lab", lab, "--rounds", str(options.rounds)]
        sys.stdout.flush()
        if os.spawnv(os.P_WAIT, sys.executable, command):
            sys.exit(1)


if __name__ == "__main__":
    main()
