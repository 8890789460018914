"""The Django app that a lab lists as "labkit.exchange"."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    """Templates of the panel; no models, no cookies, no queries."""

    name = "labkit.exchange"
    label = "labkit_exchange"
