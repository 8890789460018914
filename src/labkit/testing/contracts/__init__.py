"""Contracts: the promises of a lab that do not depend on where its state is kept.

They speak HTTP only and read what a person would read. A lab's test subclasses its contract, gives
the answers that differ, and re-declares as a strict xfail any promise its mechanism cannot keep.
"""

from labkit.testing.contracts.carts import (
    HOSTILE_NAMES,
    PAGES,
    CartContract,
    CartInChromium,
    CartPages,
    table,
)
from labkit.testing.contracts.common import RawRequests, says_why, text, words
from labkit.testing.contracts.counts import (
    NO_COUNTS,
    PageCountContract,
    PageCountInChromium,
    PageCountPages,
    number,
)
from labkit.testing.contracts.wizards import (
    WizardContract,
    WizardPages,
    WizardRequests,
    step_of,
    told,
)

__all__ = [
    "HOSTILE_NAMES",
    "NO_COUNTS",
    "PAGES",
    "CartContract",
    "CartInChromium",
    "CartPages",
    "PageCountContract",
    "PageCountInChromium",
    "PageCountPages",
    "RawRequests",
    "WizardContract",
    "WizardPages",
    "WizardRequests",
    "number",
    "says_why",
    "step_of",
    "table",
    "text",
    "told",
    "words",
]
