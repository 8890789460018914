"""The Django app that a lab lists as "labkit.base"."""

from django.apps import AppConfig
from django.db.models.signals import pre_migrate


class BaseConfig(AppConfig):
    """Provide the stylesheet, template tags and error pages, without models, cookies or queries."""

    name = "labkit.base"
    label = "labkit_base"

    def ready(self) -> None:
        """Make `migrate` refuse another project's database."""
        from labkit.base.foreign_database import refuse_foreign_database  # needs loaded apps

        pre_migrate.connect(refuse_foreign_database)
