"""Read the source of the probes without importing them, for pages that show it."""

import ast
from functools import cache
from pathlib import Path

from labkit.comparison_tables import Table

FOLDER = "src/labkit/compare/probes"
DECORATORS = {"probe", "thorough_probe"}


def source(table: Table, question: str) -> str:
    """Return the source of this question's probe, or "" if there is none.

    For an assignment such as `replay = carts.replay`, the source is read from the other module.
    """
    found = _definitions(table.id, table.probes).get(question, "")
    while isinstance(found, tuple):
        module, name = found
        found = _definitions(module).get(name, "")
    return found


def probe_names(table: Table) -> list[str]:
    """Return the names of all probes in this table's module, in order."""
    return [name for name in _definitions(table.id, table.probes) if source(table, name)]


@cache
def _definitions(module: str, path: Path | None = None) -> dict[str, str | tuple[str, str]]:
    """Return the probes of a module: {name: source, or (module, name) if it is an alias}.

    path: the module's file, if it is not one of labkit.compare.probes.
    """
    path = path or Path(__file__).parent / "probes" / f"{module}.py"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    found: dict[str, str | tuple[str, str]] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            if DECORATORS & {ast.unparse(decorator) for decorator in node.decorator_list}:
                found[node.name] = ast.get_source_segment(text, node) or ""
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute):
            target, value = node.targets[0], node.value
            if isinstance(target, ast.Name) and isinstance(value.value, ast.Name):
                found[target.id] = (value.value.id, value.attr)
    return found
