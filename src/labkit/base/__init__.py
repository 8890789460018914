"""Modules that labs may import, such as helpers for settings, form fields and the session lock."""
