"""Read the source of the probes, for pages that show it, without importing them."""

import ast
from functools import cache
from importlib import resources

MODULES = {"carts": "carts", "counts": "counts", "wizard": "wizards", "engines": "engines"}
FOLDER = "src/labkit/compare/probes"
DECORATORS = {"probe", "thorough_probe"}


def source(table: str, question: str) -> str:
    """Return the source of the probe for this question, or "" if there is none.

    Follows a probe that a module takes from another one, as in `replay = carts.replay`.
    """
    module, name = MODULES.get(table, ""), question
    while module:
        found = _definitions(module).get(name)
        if not isinstance(found, tuple):
            return found or ""
        module, name = found
    return ""


def probe_names(table: str) -> list[str]:
    """Return the names of all probes in this table's module, in order."""
    module = MODULES.get(table)
    return [name for name in _definitions(module) if source(table, name)] if module else []


@cache
def _definitions(module: str) -> dict[str, str | tuple[str, str]]:
    """Return {name: its source, or the (module, name) it stands for} for a module of probes."""
    path = resources.files("labkit").joinpath("compare", "probes", f"{module}.py")
    text = path.read_text(encoding="utf-8")
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
