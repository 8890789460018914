"""Read and write the results of a measurement as JSON: figures, charts and a stamp."""

import contextlib
import json
import os
import platform
import re
import sqlite3
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import django

from labkit.kept_files import write_whole
from labkit.measure.charts import Chart
from labkit.services.requirements import program


def stamp(command: str, database: str = "sqlite") -> dict[str, Any]:
    """Return a stamp: the date, machine, versions and command of a measurement.

    command: the command that repeats the measurement.
    database: "sqlite", "mysql", or "" if no database is needed.
    """
    versions = {
        "Python": platform.python_version(),
        "Django": django.get_version(),
        "waitress": metadata.version("waitress"),
    }
    if database == "sqlite":
        versions["SQLite"] = sqlite3.sqlite_version
    elif database == "mysql":
        versions["MariaDB"] = mariadb_version()
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": {
            "processor": _processor(),
            "cores": str(cores),
            "memory": _memory(),
            "system": _system(),
        },
        "versions": versions,
        "command": command,
    }


def _processor() -> str:
    name = ""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
            name = lines.partition("model name")[2].partition(": ")[2].partition("\n")[0]
    elif sys.platform == "darwin":
        name = _output("sysctl", "-n", "machdep.cpu.brand_string")
    return name.strip() or platform.processor() or platform.machine()


def _memory() -> str:
    """Return the memory in GiB, or "unknown"."""
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return "unknown"
    return f"{size / 2**30:.0f} GiB"


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return f"{platform.system()} {platform.release()}"


def mariadb_version() -> str:
    """Return the version of the installed MariaDB server, or "unknown"."""
    found = re.search(r"Ver (\d[\d.]*)", _output(program("mariadbd") or "", "--version"))
    return found[1] if found else "unknown"


def _output(*command: str) -> str:
    """Return the output of a command, or "" if it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def describe(stamp: dict[str, Any]) -> str:
    """Describe a stamp in two sentences."""
    here = stamp["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in stamp["versions"].items())
    return (
        f"Measured on {stamp['date']} by `{stamp['command']}`: {here['processor']}, "
        f"{here['cores']} cores, {here['memory']}, {here['system']}. {versions}."
    )


def write(
    path: Path, stamp: dict[str, Any], figures: Any, charts: dict[str, Chart] | None = None
) -> None:
    """Write {"stamp": ..., "figures": ..., "charts": {name: ...}} to a JSON file.

    charts: None if charts are drawn from the figures of several files.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "stamp": stamp,
        "figures": figures,
        "charts": {name: asdict(chart) for name, chart in (charts or {}).items()},
    }
    # Put the numbers of a list on one line. With one number per line, a diff of two runs would have
    # thousands of lines.
    text = re.sub(
        r"\[\s+([-\d.,\s]+?)\s+\]",
        lambda numbers: "[" + " ".join(numbers[1].split()) + "]",
        json.dumps(content, indent=1),
    )
    write_whole(path, text + "\n")


def read(path: Path) -> dict[str, Any]:
    """Read a file written by `write`. Raises FileNotFoundError, or ValueError for other files."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or {"stamp", "figures", "charts"} - content.keys():
        raise ValueError(f"{path} contains no figures.")
    return content
