"""A test client with a browser's cookie rules, a clock for server and browser together, contracts.

The pytest plugin that comes with it has the fixtures `visitor`, `classmate`, `clock`, `mariadb` and
`chromium`. Where no test asks for one of them it does nothing, and loads not even Django.
docs/testing.md shows how to use it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labkit.http.jar import Jar, WithheldCookie
    from labkit.http.set_cookie import Cookie, CookieRefusal, SameSite
    from labkit.testing.base_visitor import Exchange
    from labkit.testing.clock import Clock
    from labkit.testing.response_checks import BrokenPromise
    from labkit.testing.visitor import Visitor
    from labkit.testing.wire_visitor import WireVisitor

__all__ = [
    "BrokenPromise",
    "Clock",
    "Cookie",
    "CookieRefusal",
    "Exchange",
    "Jar",
    "SameSite",
    "Visitor",
    "WireVisitor",
    "WithheldCookie",
]

_HOMES = {
    "labkit.testing.base_visitor": ["Exchange"],
    "labkit.testing.response_checks": ["BrokenPromise"],
    "labkit.testing.clock": ["Clock"],
    "labkit.http.jar": ["Jar", "WithheldCookie"],
    "labkit.http.set_cookie": ["Cookie", "CookieRefusal", "SameSite"],
    "labkit.testing.visitor": ["Visitor"],
    "labkit.testing.wire_visitor": ["WireVisitor"],
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
