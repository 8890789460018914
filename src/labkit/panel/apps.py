"""The Django app that a lab lists as "labkit.panel"."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    """The panel's templates; it has no models."""

    name = "labkit.panel"
    label = "labkit_exchange"
