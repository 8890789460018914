"""The functions that ask the questions, as they were written, read without running anything."""

import ast
from functools import cache
from importlib import resources

MODULES = {"carts": "carts", "counts": "counts", "wizard": "wizards", "engines": "engines"}
FOLDER = "src/labkit/compare/probes"


def source(table: str, row: str) -> str:
    """The function that asks this row's question; "" where there is none.

    One that a module has from another, as in `replay = carts.replay`, is that one's.
    """
    module, name = MODULES.get(table, ""), row
    while module:
        found = _definitions(module).get(name)
        if found is None or not isinstance(found, tuple):
            return found or ""
        module, name = found
    return ""


def questions(table: str) -> list[str]:
    """The names of all questions that this table's module asks, in order."""
    module = MODULES.get(table)
    return [name for name in _definitions(module) if source(table, name)] if module else []


@cache
def _definitions(module: str) -> dict[str, str | tuple[str, str]]:
    """{name: its source, or the (module, name) that it stands for} of one module of questions."""
    path = resources.files("labkit").joinpath("compare", "probes", f"{module}.py")
    text = path.read_text(encoding="utf-8")
    found: dict[str, str | tuple[str, str]] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and _asks(node):
            found[node.name] = ast.get_source_segment(text, node) or ""
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute):
            target, value = node.targets[0], node.value
            if isinstance(target, ast.Name) and isinstance(value.value, ast.Name):
                found[target.id] = (value.value.id, value.attr)
    return found


def _asks(node: ast.FunctionDef) -> bool:
    return {ast.unparse(mark) for mark in node.decorator_list} & {
        "question",
        "thorough_question",
    } != set()
