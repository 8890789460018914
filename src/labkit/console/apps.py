"""The Django app of the console; its templates take the place of labkit's own."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """Pages about all labs; no models."""

    name = "labkit.console"
    label = "labkit_console"
