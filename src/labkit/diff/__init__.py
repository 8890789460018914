"""What differs between two labs, two variants within a lab, or a lab and a copy, and why."""

from labkit.diff.comparison import compare, find_sides
from labkit.diff.inputs import Side
from labkit.diff.models import Comparison, FileDiff, Hunk
from labkit.diff.notes import Notes

__all__ = ["Comparison", "FileDiff", "Hunk", "Notes", "Side", "compare", "find_sides"]
