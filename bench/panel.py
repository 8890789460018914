"""What the exchange panel costs a page: the same page with it and without, as a ratio.

    python bench/panel.py

Two processes serve the same lab, one with LAB_PANEL=0, and are asked for batches of the same page
in turns. The time is that of the processor, so that a busy machine does not count. The opened panel
is measured apart. The aim is a ratio of at most 1.10.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).parents[1]
ROUNDS, BATCH = 40, 50
PAGES = [("03", "/"), ("03", "/display/"), ("04", "/"), ("04", "/display/"), ("04", "/info/")]


def serve(folder: str) -> None:
    """One of the two: for each path on standard input, the seconds that a batch of it took."""
    import time

    sys.path.insert(0, folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "lab.settings"
    import django
    from django.core.management import call_command

    django.setup()
    from django.conf import settings

    if "django.contrib.sessions" in settings.INSTALLED_APPS:
        call_command("migrate", verbosity=0)
    from labkit.testing import Visitor

    visitor = Visitor()
    for name in ("apple", "pear", "plum"):
        visitor.submit("/add/", {"name": name, "quantity": 3})
    cookies = visitor.jar.header(visitor.origin)
    from django.core.wsgi import get_wsgi_application
    from django.test import RequestFactory

    application = get_wsgi_application()
    factory = RequestFactory(SERVER_NAME="127.0.0.1", HTTP_COOKIE=cookies)

    def ask(path: str) -> None:
        environ = factory.get(path).environ
        started = time.process_time()
        response = application(environ, lambda *_: None)
        b"".join(response)
        response.close()
        ask.spent += time.process_time() - started

    for line in sys.stdin:
        path = line.strip()
        if path == "panel":
            from labkit.exchange.record import log

            path = f"/__lab__/exchange/{log.newest()[0].token}/"
        ask.spent = 0.0
        for _ in range(BATCH):
            ask(path)
        sys.stdout.write(f"{json.dumps(ask.spent / BATCH)}\n")
        sys.stdout.flush()


class Worker:
    """A process that serves a lab."""

    def __init__(self, lab: Path, panel: bool, state: str) -> None:
        environ = os.environ | {"LAB_PANEL": str(int(panel)), "LAB_DEBUG": "0"}
        environ |= {"LAB_STATE_DIR": state, "DATABASE_URL": ""}
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(lab)],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, path: str) -> float:
        """Seconds of processor time for one request of a batch."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        return float(json.loads(self.process.stdout.readline()))

    def stop(self) -> None:
        """End it."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def main() -> None:
    """Print a line for each page."""
    labs = {number: next((ROOT / "labs").glob(f"{number}_*")) for number, _ in PAGES}
    table = Table("page", "bare", "with the line", "ratio", box=None)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        workers = {n: (Worker(lab, False, one), Worker(lab, True, two)) for n, lab in labs.items()}
        for number, path in track(PAGES, transient=True):
            bare, watched = workers[number]
            times = [(bare.ask(path), watched.ask(path)) for _ in range(ROUNDS)]
            a, b = (statistics.median(column) * 1000 for column in zip(*times, strict=True))
            ratio = statistics.median(y / x for x, y in times)
            table.add_row(f"{number} {path}", f"{a:.3f} ms", f"{b:.3f} ms", f"{ratio:.2f}")
        opened = statistics.median(workers["04"][1].ask("panel") for _ in range(5)) * 1000
        for pair in workers.values():
            for worker in pair:
                worker.stop()
    console = Console()
    console.print(table)
    console.print(f"the opened panel itself: {opened:.1f} ms")


if __name__ == "__main__":
    serve(sys.argv[1]) if len(sys.argv) > 1 else main()
