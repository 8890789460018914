"""Contracts: tests that a lab must pass wherever it stores its state.

Contracts use only HTTP, and read pages as a person would. A lab's test class is a subclass of its
contract. The subclass sets the values that differ between labs, and marks tests that the lab's
mechanism cannot pass as strict xfails.
"""
# ruff: noqa: F401 for import by the labs' tests

from labkit.testing.contracts.carts import PAGES, CartContract, CartInChromium, CartPages
from labkit.testing.contracts.common import RawRequests
from labkit.testing.contracts.counts import PageCountContract, PageCountInChromium, PageCountPages
from labkit.testing.contracts.hostile_input import HOSTILE_NAMES, REFUSED_NAMES
from labkit.testing.contracts.odd_entries import (
    OddCartEntries,
    OddCountEntries,
    OddEntriesContract,
)
from labkit.testing.contracts.pages import facts, notices, number, surprises, table, text, words
