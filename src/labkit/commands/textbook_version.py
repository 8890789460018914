"""Prepare a textbook version for `lab run`, and print what to try."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
from rich.text import Text

from labkit.catalog import Catalog, Lab, writable
from labkit.commands.options import console
from labkit.text_format import command_line
from labkit.textbook_versions import Version

# Messages; the tests look for them.
TRY_IT = "Try it:"
SYMPTOM = "What you see:"
WHY = "Why:"
COMPARE = "Compare it with the lab:"
OTHER_BROWSER = (
    "In a browser that cannot open {host}, such as Safari, use this URL. It shares cookies with "
    "lab {number}:"
)
NOT_APART = (
    "Safari cannot open {host}. Use another browser: at 127.0.0.1, the cookies of this "
    "version would replace those of other labs."
)
DOES_NOT_START = "Django refuses to start this version:"
STARTS = "This version should not start, but it does. Please report this."
ONE_SERVER = "A textbook version always uses SQLite and one server, so {option} cannot be used."
CHECK_SECONDS = 60


def refuse_options(db: str | None, redis_pair: bool, servers: int) -> None:
    """Raise UsageError for options of `lab run` that do not work with a textbook version."""
    given = {"--db": db not in {None, "sqlite"}, "--redis-pair": redis_pair}
    given["--servers"] = servers > 1
    for option in (option for option, is_given in given.items() if is_given):
        raise click.UsageError(ONE_SERVER.format(option=option))


@contextmanager
def written(checkout: Catalog, version: Version) -> Iterator[Lab]:
    """Create a copy of a textbook version, and yield it as a lab.

    Within the block, the environment variable LAB_STATE_DIR names the folder of the copy, so that
    its state is stored there. Raises CatalogError if the folder cannot be written, or an edit does
    not match.
    """
    folder = writable(version.state(checkout).absolute())
    lab = version.write(folder)
    before = os.environ.get("LAB_STATE_DIR")
    os.environ["LAB_STATE_DIR"] = str(folder)
    try:
        yield lab
    finally:
        del os.environ["LAB_STATE_DIR"]
        if before is not None:
            os.environ["LAB_STATE_DIR"] = before


def print_guide(version: Version, port: int) -> None:
    """Print a running version's URL, what to try, its symptom, and the explanation."""
    heading = (f"{version.full_name}  {version.title}", "b")
    console.print(Text.assemble(heading, f": http://{version.host}:{port}/"), soft_wrap=True)
    fallback, alternative = NOT_APART, ""
    if version.apart:
        fallback, alternative = OTHER_BROWSER, f" http://127.0.0.1:{port}/"
    print_wrapped(fallback.format(host=version.host, number=version.lab.number) + alternative)
    console.print(Text(f"\n{TRY_IT}", "b"))
    number = 0
    for step in version.see:
        number += step.is_action
        print_wrapped(f"{number:>3}. {step}" if step.is_action else f"     → {step}")
    _print_lesson(version)


def print_failed_start(version: Version, lab: Lab, environ: Mapping[str, str]) -> None:
    """Try to start a version that Django refuses; print the error and the explanation."""
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=lab.folder,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=CHECK_SECONDS,
        check=False,
    )
    console.print(Text(f"{version.full_name}  {version.title}", "b"), soft_wrap=True)
    if not done.returncode:
        raise click.ClickException(STARTS)
    lines = [line for line in done.stderr.splitlines() if _is_own(line, lab.folder)]
    print_wrapped(f"{DOES_NOT_START}\n")
    for line in [*lines[-1:], *done.stderr.strip().splitlines()[-1:]]:
        print_wrapped(f"    {line.strip()}")
    _print_lesson(version)


def _is_own(line: str, folder: Path) -> bool:
    """Return whether a line of a traceback names a file in this folder."""
    return line.strip().startswith("File ") and str(folder / "lab") in line


def _print_lesson(version: Version) -> None:
    for heading, text in ((SYMPTOM, version.symptom), (WHY, version.why)):
        console.print(Text.assemble(("\n" + heading, "b"), f" {text}"), soft_wrap=True)
    for source in version.sources:
        print_wrapped(f"  {source.title}: {source.url}")
    line = command_line("lab", "diff", version.full_name, version.lab.number)
    console.print(Text.assemble(("\n" + COMPARE, "b"), f" {line}\n"), soft_wrap=True)


def print_wrapped(text: str) -> None:
    """Print text without wrapping it; the terminal does that."""
    console.print(text, soft_wrap=True)
