"""Standalone pages, shared templates and highlighting for the console and for --html."""
