"""What a question is, and how a lab's test asks it."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from labkit.catalog import catalog
from labkit.compare.test_runner import PROPERTY
from labkit.tables import Tables


@dataclass(frozen=True)
class Question:
    """A function that finds out one row's answer; its parameters are fixtures, as a test's are."""

    observe: Callable[..., str]
    thorough: bool = False  # whether it takes more than a moment, such as starting servers

    @property
    def id(self) -> str:
        """The name of its row in labs/compare.toml."""
        return self.observe.__name__


def question(observe: Callable[..., str]) -> Question:
    """A function that asks a question at once."""
    return Question(observe)


def thorough_question(observe: Callable[..., str]) -> Question:
    """A function that takes real servers or many requests: `lab compare` and `-m thorough` ask."""
    return Question(observe, thorough=True)


def questions_of(module: ModuleType) -> list[Question]:
    """The questions in a module, those that it imports included."""
    return [thing for thing in vars(module).values() if isinstance(thing, Question)]


def each(module: ModuleType) -> pytest.MarkDecorator:
    """A mark that has a test ask each question of the module, one after the other."""
    return pytest.mark.parametrize(
        "question",
        [
            pytest.param(q, id=q.id, marks=[pytest.mark.thorough] if q.thorough else [])
            for q in questions_of(module)
        ],
    )


def agree(table: str, question: Question, request: Any, variant: str = "") -> None:
    """Ask, and compare with the table's cell for this variant; by default the lab's only one.

    What was seen goes into the test's report, for `lab compare`. Raises AssertionError where the
    table says something else.
    """
    from django.conf import settings

    known = Tables(catalog()).find(table)
    row = known.row(question.id)
    variant = variant or known.variant_of(settings.LAB).id
    told = {"table": table, "row": row.id, "variant": variant, "database": database()}
    request.node.user_properties.append((PROPERTY, told))
    fixtures = inspect.signature(question.observe).parameters
    seen = question.observe(**{name: request.getfixturevalue(name) for name in fixtures})
    told["seen"] = seen
    declared = row.cells[variant].answer
    assert seen == declared, (
        f"{row.text} The table {table} says {declared!r} for {variant}, and it is {seen!r}."
    )


def database() -> str:
    """Which database the lab under test has, with its version; empty where it has none."""
    from django.conf import settings
    from django.db import connection

    if not settings.DATABASES.get("default", {}).get("NAME"):
        return ""
    name = "MariaDB" if getattr(connection, "mysql_is_mariadb", False) else connection.display_name
    return f"{name} {'.'.join(map(str, connection.get_database_version()))}"
