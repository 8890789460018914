"""A test client with a browser's cookie rules, a clock for server and browser together, contracts.

The pytest plugin that comes with it has the fixtures `visitor`, `classmate`, `clock` and `mariadb`,
and does nothing in a project whose tests ask for none of them.
"""

from labkit.testing.browser import Exchange
from labkit.testing.checks import BrokenPromise
from labkit.testing.clock import Clock
from labkit.testing.jar import Cookie, HeldBack, Jar, Refused, SameSite
from labkit.testing.visitor import Visitor
from labkit.testing.wire import WireVisitor

__all__ = [
    "BrokenPromise",
    "Clock",
    "Cookie",
    "Exchange",
    "HeldBack",
    "Jar",
    "Refused",
    "SameSite",
    "Visitor",
    "WireVisitor",
]
