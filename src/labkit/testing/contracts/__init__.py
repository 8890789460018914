"""Contracts: the promises of a lab that do not depend on where its state is kept.

They speak HTTP only and read what a person would read. A lab's test subclasses its contract, gives
the answers that differ, and re-declares as a strict xfail any promise its mechanism cannot keep.
"""

from labkit.testing.contracts.carts import (
    PAGES,
    CartContract,
    CartInChromium,
    CartPages,
)
from labkit.testing.contracts.common import RawRequests
from labkit.testing.contracts.counts import (
    NO_COUNTS,
    PageCountContract,
    PageCountInChromium,
    PageCountPages,
)
from labkit.testing.contracts.hostile_input import HOSTILE_NAMES, REFUSED_NAMES
from labkit.testing.contracts.pages import (
    notices,
    number,
    says_why,
    table,
    text,
    words,
)

__all__ = [
    "HOSTILE_NAMES",
    "NO_COUNTS",
    "PAGES",
    "REFUSED_NAMES",
    "CartContract",
    "CartInChromium",
    "CartPages",
    "PageCountContract",
    "PageCountInChromium",
    "PageCountPages",
    "RawRequests",
    "notices",
    "number",
    "says_why",
    "table",
    "text",
    "words",
]
