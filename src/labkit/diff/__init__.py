"""Compare labs, variants of a lab, or a lab and a copy, and explain the differences."""

from labkit.diff.comparison import compare, find_sides
from labkit.diff.data_classes import Comparison, FileDiff, Hunk
from labkit.diff.inputs import Side
from labkit.diff.notes import Notes

__all__ = ["Comparison", "FileDiff", "Hunk", "Notes", "Side", "compare", "find_sides"]
