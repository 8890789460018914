"""A test client with a browser's cookie rules, a clock for server and browser, and contract tests.

The pytest plugin provides the fixtures `visitor`, `classmate`, `clock`, `mariadb`, `redis` and
`chromium`. The plugin imports Django only if a test uses one of them. docs/testing.md explains how
to use the plugin.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # this import lets type checkers know the names
    from labkit.testing.base_visitor import Exchange as Exchange
    from labkit.testing.clock import Clock as Clock
    from labkit.testing.response_checks import BrokenPromise as BrokenPromise
    from labkit.testing.visitor import Visitor as Visitor
    from labkit.testing.wire_visitor import WireVisitor as WireVisitor

# These modules are imported on first use, because they import Django.
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
