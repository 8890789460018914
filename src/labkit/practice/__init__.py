"""Practise on a copy of a lab: make one, check it, explain what fails."""
