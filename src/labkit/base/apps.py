"""The Django app that a lab lists as "labkit.base"."""

from django.apps import AppConfig


class BaseConfig(AppConfig):
    """Provide the stylesheet, template tags and error pages; no models, cookies or queries."""

    name = "labkit.base"
    label = "labkit_base"
