"""The Django app of the console; its templates replace those of labkit.base."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """Pages about all labs; no models."""

    name = "labkit.console"
    label = "labkit_console"
