"""Finds the function behind a question by reading its module, for who has no pytest."""

import ast
from dataclasses import dataclass
from importlib import resources

from labkit.comparing.table import Table

PACKAGE = "labkit.testing.questions"
MODULES = {"wizard": "wizards"}  # those that are not called as their table is


@dataclass(frozen=True)
class Source:
    """A function as it was written."""

    path: str  # in the checkout
    line: int  # its first one
    text: str


def source_of(table: Table, row: str) -> Source | None:
    """The function that asks this question of this table; None where there is none."""
    return _find(MODULES.get(table.id, table.id), row)


def _find(module: str, name: str) -> Source | None:
    try:
        text = (resources.files(PACKAGE) / f"{module}.py").read_text(encoding="utf-8")
        body = ast.parse(text).body
    except (OSError, SyntaxError):
        return None
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            lines = text.splitlines()[node.lineno - 1 : node.end_lineno]
            path = f"src/{PACKAGE.replace('.', '/')}/{module}.py"
            return Source(path, node.lineno, "\n".join(lines) + "\n")
    for node in body:
        match node:  # name = carts.name: a question of another table as well
            case ast.Assign([ast.Name(taken)], ast.Attribute(ast.Name(origin), asked)):
                if taken == name:
                    return _find(origin, asked)
    return None
