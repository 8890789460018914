"""The Django app that a lab lists as "labkit.panel"."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    """Provide the panel's templates; the app has no models."""

    name = "labkit.panel"
    label = "labkit_exchange"
