"""The Django app that a lab lists as "labkit.panel"."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    """Templates of the panel; no models, no cookies, no queries."""

    name = "labkit.panel"
    label = "labkit_exchange"
