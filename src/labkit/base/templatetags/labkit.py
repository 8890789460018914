"""Template tags for every lab: this_lab, asset, mark_current, reading_links and session_engine."""

import os
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path

from django import template
from django.conf import settings
from django.urls import get_script_prefix, reverse
from django.utils.safestring import SafeString, mark_safe

from labkit import session_stores
from labkit.base import served_labs
from labkit.base.served_labs import ALL_LABS, CODE, HANDOUT
from labkit.catalog import Catalog, CatalogError, Lab, catalog

register = template.Library()
PANEL = "labkit.panel.middleware.observe"  # the panel serves the handout and the code


@register.simple_tag
def this_lab() -> Lab:
    """Return the running lab; a copy outside labs/ is named after its folder."""
    return _lab(settings.FOLDER, settings.LAB)


@register.simple_tag
def asset(name: str) -> str:
    """Return the URL of a file in src/labkit/base/static/labkit/, from a cache.

    The cache saves time: every page has two such URLs, and on a small page, `{% url %}` would take
    a tenth of the time needed to render it.
    """
    return _address(get_script_prefix(), name)


@register.simple_tag
def session_engine() -> str:
    """Return the session engine and its cache, such as "cached_db, Redis"."""
    return session_stores.describe_engine()


@register.simple_block_tag(takes_context=True)
def mark_current(context: template.Context, content: SafeString) -> SafeString:
    """Return these links as HTML, with `aria-current` on the link to the current page.

    The attribute's value is "page". If no link has the current path, as on a page of the wizard or
    the result of a race, the first link with the same first path segment gets the value "true".
    """
    request = getattr(context, "request", None)
    if request is None:
        return content
    section = "/".join(request.path.split("/", 2)[:2]) + "/"
    for start, value in ((f'href="{request.path}"', "page"), (f'href="{section}', "true")):
        if start in content:
            return mark_safe(content.replace(start, f'aria-current="{value}" {start}', 1))
    return content


@register.simple_tag(takes_context=True)
def reading_links(context: template.Context) -> SafeString:
    """Return the links to the lab's handout and code, and under `lab serve` to all labs.

    Without the panel, which serves the handout and the code, there are no links. The link to the
    current page is marked.
    """
    request = getattr(context, "request", None)
    current = request.path_info if request and request.path_info in {HANDOUT, CODE} else ""
    return _reading_links(current)


@cache
def _reading_links(current: str) -> SafeString:
    """Return the links for the page `current`. They are cached, since every page shows them."""
    if PANEL not in settings.MIDDLEWARE or os.environ.get("LAB_PANEL") == "0":
        return SafeString()
    pages = {HANDOUT: "Handout", CODE: "Code"}
    if served_labs.console_port():
        pages[ALL_LABS] = "All labs"
    marks = {current: ' aria-current="page"'}
    links = (f'<a href="{url}"{marks.get(url, "")}>{pages[url]}</a>' for url in pages)
    return mark_safe(f'<nav class="reading" aria-label="About this lab">{" ".join(links)}</nav>')


@cache
def _address(prefix: str, name: str) -> str:
    return reverse("labkit:asset", args=[name])


@cache
def _lab(folder: Path, number: str) -> Lab:
    with suppress(CatalogError):
        return Catalog(folder.parent.parent).find(number)
    with suppress(CatalogError):  # there is no checkout
        return replace(catalog().copy_in(folder), number=number)
    return Lab(number, folder.name, folder.name, idea="", folder=folder, database=False)
