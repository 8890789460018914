"""What differs between two labs, two variants within a lab, or a lab and a copy, and why."""

from labkit.diffing.compare import Comparison, FileDiff, Hunk, compare, sides
from labkit.diffing.notes import Notes
from labkit.diffing.sides import Side

__all__ = ["Comparison", "FileDiff", "Hunk", "Notes", "Side", "compare", "sides"]
