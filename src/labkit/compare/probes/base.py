"""Probes: functions that find the answer to one question of a table, in a lab's tests."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import pytest

from labkit.catalog import Catalog, catalog
from labkit.compare.table_runner import PROPERTY
from labkit.comparison_tables import Tables

MISMATCH = "The table {table} says {expected!r} for {variant}, but the answer is {answer!r}."


@dataclass(frozen=True)
class Probe:
    """A function that finds the answer; like a test, it takes fixtures as parameters."""

    observe: Callable[..., str]
    thorough: bool = False  # whether the probe is slow, for example because it starts servers

    @property
    def id(self) -> str:
        """The ID of its question in labs/compare.toml."""
        return self.observe.__name__


def probe(observe: Callable[..., str]) -> Probe:
    """Decorate a function that finds the answer to the question of the same name."""
    return Probe(observe)


def thorough_probe(observe: Callable[..., str]) -> Probe:
    """Decorate a slow probe, which runs only for `lab compare` and with -m thorough."""
    return Probe(observe, thorough=True)


def probes_in(module: ModuleType) -> list[Probe]:
    """Return the probes of a module, including those from other modules."""
    return [value for value in vars(module).values() if isinstance(value, Probe)]


def every_probe(module: ModuleType) -> pytest.MarkDecorator:
    """Return a mark that runs a test for each probe of the module, with the argument `probe`."""
    return pytest.mark.parametrize(
        "probe",
        [
            pytest.param(one, id=one.id, marks=[pytest.mark.thorough] if one.thorough else [])
            for one in probes_in(module)
        ],
    )


def check_answer(
    table_id: str, probe: Probe, request: pytest.FixtureRequest, variant_id: str = ""
) -> None:
    """Run a probe, and check that its answer is the one in the table for this variant.

    By default, the variant is the only one in the lab under test. The answer is added to the test's
    report, from which `lab compare` reads it. Raises AssertionError if the answers differ, and
    CatalogError if the table has no such question or variant.
    """
    from django.conf import settings

    table = _read_tables(catalog()).find(table_id)
    question = table.question(probe.id)
    variant_id = variant_id or table.variant_of(settings.LAB).id
    cell = {"table": table_id, "question": question.id, "variant": variant_id}
    cell["database"] = database_version()
    request.node.user_properties.append((PROPERTY, cell))
    fixtures = inspect.signature(probe.observe).parameters
    answer = probe.observe(**{name: request.getfixturevalue(name) for name in fixtures})
    cell["answer"] = answer
    expected = question.cells[variant_id].answer
    mismatch = MISMATCH.format(table=table_id, expected=expected, variant=variant_id, answer=answer)
    assert answer == expected, f"{question.text} {mismatch}"


@cache
def _read_tables(catalog: Catalog) -> Tables:
    """Return the tables, which are read once for all tests of a run."""
    return Tables(catalog)


def database_version() -> str:
    """Return the name and version of the lab's database, such as "SQLite 3.40.1", or ""."""
    from django.conf import settings
    from django.db import connection

    if not settings.DATABASES.get("default", {}).get("NAME"):
        return ""
    name = "MariaDB" if getattr(connection, "mysql_is_mariadb", False) else connection.display_name
    return f"{name} {'.'.join(map(str, connection.get_database_version()))}"
