"""Tags for every lab: {% this_lab as lab %} and {% asset 'lab.css' %}.

The first is the number, title and idea that the manifest gives this lab, the second the address of
a file of labkit's.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

from django import template
from django.conf import settings
from django.urls import get_script_prefix, reverse

from labkit.catalog import Catalog, CatalogError, Lab, catalog

register = template.Library()


@register.simple_tag
def this_lab() -> Lab:
    """The lab whose settings are in use; a copy outside labs/ goes by its folder's name."""
    return _lab(settings.FOLDER, settings.LAB)


@register.simple_tag
def asset(name: str) -> str:
    """Where a file of src/labkit/base/static/labkit/ is: `{% url %}` that looks it up only once.

    Two of them stand in every page; looking them up would be a tenth of what a small page takes.
    """
    return _address(get_script_prefix(), name)


@cache
def _address(prefix: str, name: str) -> str:
    return reverse("labkit:asset", args=[name])


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
