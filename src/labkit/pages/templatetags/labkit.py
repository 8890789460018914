"""{% this_lab as lab %}: the number, title and idea that the manifest gives this lab."""

from dataclasses import replace
from functools import cache
from pathlib import Path

from django import template
from django.conf import settings

from labkit.catalog import Catalog, CatalogError, Lab, catalog

register = template.Library()


@register.simple_tag
def this_lab() -> Lab:
    """The lab whose settings are in use; a copy outside labs/ goes by its folder's name."""
    return _lab(settings.FOLDER, settings.LAB)


@cache
def _lab(folder: Path, number: str) -> Lab:
    try:
        return Catalog(folder.parent.parent).find(number)
    except CatalogError:
        pass
    try:
        return replace(catalog().copy_in(folder), number=number)
    except CatalogError:  # no checkout far and wide
        name = folder.name
        return Lab(number, slug=name, title=name, idea="", folder=folder, database=False)
