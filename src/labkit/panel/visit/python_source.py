"""Lay out Python expressions as a formatter would: on one line if they fit, otherwise on several.

A node is the source of an expression, or (opening bracket, [(prefix, node)], closing bracket).
"""

from collections.abc import Iterable, Mapping
from typing import Any

LONGEST = 99  # the maximum number of characters in a line
Node = str | tuple[str, list[tuple[str, Any]], str]


def call(function: str, *arguments: Node, **named: Node) -> Node:
    """Return the node for a function call."""
    pairs = [("", each) for each in arguments]
    return f"{function}(", pairs + [(f"{name}=", each) for name, each in named.items()], ")"


def listed(items: Iterable[Node]) -> Node:
    """Return the node for a list."""
    return "[", [("", item) for item in items], "]"


def mapped(items: Mapping[str, Node]) -> Node:
    """Return the node for a dictionary with these keys."""
    return "{", [(f"{quoted(name)}: ", item) for name, item in items.items()], "}"


def quoted(text: str) -> str:
    """Return the source of a string, in double quotes if possible."""
    source = repr(text)
    if source.startswith("'") and '"' not in source:
        return f'"{source[1:-1]}"'
    return source


def lay_out(before: str, node: Node, after: str = "", indent: int = 4) -> str:
    """Return the source of a statement: `before`, the node and `after`, indented by `indent`."""
    return " " * indent + before + _fit(node, indent, indent + len(before) + len(after)) + after


def _fit(node: Node, indent: int, used: int) -> str:
    text = _flat(node)
    if isinstance(node, str) or used + len(text) <= LONGEST:
        return text
    opening, items, closing = node
    inner = indent + 4
    lines = [
        f"{' ' * inner}{prefix}{_fit(item, inner, inner + len(prefix) + 1)},"
        for prefix, item in items
    ]
    return "\n".join([opening, *lines, " " * indent + closing])


def _flat(node: Node) -> str:
    if isinstance(node, str):
        return node
    opening, items, closing = node
    return opening + ", ".join(prefix + _flat(item) for prefix, item in items) + closing
