"""The Django app that a lab lists as "labkit.pages"."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    """Stylesheet, template tag and error pages; no models, no cookies, no queries."""

    name = "labkit.pages"
    label = "labkit_pages"
