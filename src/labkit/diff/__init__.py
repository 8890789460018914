"""Compare two labs, two variants of one lab, or a lab and a copy, and say why they differ."""

from labkit.diff.comparison import compare, find_sides
from labkit.diff.data_classes import Comparison, FileDiff, Hunk
from labkit.diff.inputs import Side
from labkit.diff.notes import Notes

__all__ = ["Comparison", "FileDiff", "Hunk", "Notes", "Side", "compare", "find_sides"]
