"""The Django app that a lab lists as "labkit.base"."""

from django.apps import AppConfig


class BaseConfig(AppConfig):
    """Stylesheet, template tag and error pages; no models, no cookies, no queries."""

    name = "labkit.base"
    label = "labkit_base"
