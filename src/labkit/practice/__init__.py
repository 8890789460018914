"""Exercises on a copy of a lab: make the copy, check it, and explain failures."""
