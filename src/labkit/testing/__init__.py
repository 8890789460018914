"""A test client with a browser's cookie rules, a clock for server and browser, and contracts.

The pytest plugin has the fixtures `visitor`, `classmate`, `clock`, `mariadb`, `redis` and
`chromium`. If no test uses them, it does not import Django.
docs/testing.md shows how to use it.
"""

from importlib import import_module
from typing import Any

# These modules import Django, so they are imported on first use.
_MODULES = {
    "BrokenPromise": "response_checks",
    "Clock": "clock",
    "Exchange": "base_visitor",
    "Visitor": "visitor",
    "WireVisitor": "wire_visitor",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
