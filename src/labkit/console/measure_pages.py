"""Charts of what was measured for a table, on this machine or as committed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.http import FileResponse, Http404, HttpRequest
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from labkit.catalog import Catalog
from labkit.compare import Table
from labkit.console import supervisor
from labkit.measure import report, results
from labkit.render.template_filters import prose

FOLDERS = {"here": report.HOME, "committed": report.MEASURED}  # the first one counts
NAME = re.compile(r"[\w-]+\.(svg|json)")
TYPES = {"svg": "image/svg+xml", "json": "application/json"}
DATABASES = {"sqlite": "SQLite", "mysql": "MariaDB"}
# A chart contains a stylesheet with its colours for light and dark.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@dataclass(frozen=True)
class Picture:
    """One chart."""

    id: str  # "bytes_up"
    title: str
    about: str  # its alternative text
    file: str  # "carts-sqlite-bytes_up.svg"

    @property
    def anchor(self) -> str:
        """Its id on the page of its table."""
        return f"figure-{self.file.removesuffix('.svg')}"


@dataclass(frozen=True)
class Measurement:
    """The charts of one measurement."""

    file: str  # "carts-sqlite.json"
    database: str  # "SQLite" or "MariaDB"
    where: str  # one of FOLDERS
    stamp: SafeString
    pictures: list[Picture]


def measurements(checkout: Catalog, table: Table) -> list[Measurement]:
    """Return the last measurement with each database, preferring those of this machine."""
    found = (_measurement(checkout, f"{table.id}-{db}.json", db) for db in DATABASES)
    return [measurement for measurement in found if measurement]


def _measurement(checkout: Catalog, name: str, db: str) -> Measurement | None:
    for where, folder in FOLDERS.items():
        path = checkout.root / folder / name
        try:
            content = results.read(path)
            pictures = list(_pictures(path, content))
            stamp = prose(results.describe(content["stamp"]))
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            continue  # there is none, or one of another version
        if pictures:
            return Measurement(name, DATABASES[db], where, stamp, pictures)
    return None


def _pictures(path: Path, content: dict[str, Any]) -> Iterator[Picture]:
    """Yield the charts that are drawn: a run without matplotlib has figures only."""
    for id_, chart in content["charts"].items():
        drawn = path.with_name(f"{path.stem}-{id_}.svg")
        if drawn.is_file():
            yield Picture(id_, chart["title"], chart["about"], drawn.name)


@require_safe
def file(request: HttpRequest, where: str, name: str) -> FileResponse:
    """Return a chart, or the figures that it was drawn from. Raises Http404."""
    kind = NAME.fullmatch(name)
    if where not in FOLDERS or not kind:
        raise Http404(f"no {name} was measured")
    try:
        opened = (supervisor().checkout.root / FOLDERS[where] / name).open("rb")
    except OSError:
        raise Http404(f"no {name} was measured") from None
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return FileResponse(opened, content_type=TYPES[kind[1]], headers=headers)
