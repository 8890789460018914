"""Practise on a copy of a lab: make the copy, check it, explain what fails."""
