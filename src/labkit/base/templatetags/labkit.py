"""Template tags for every lab.

The base template, and so every page, uses most of them. The nodes of `register.simple_tag` resolve
their arguments and escape the result each time, which takes much longer (bench/cost.py).
https://docs.djangoproject.com/en/5.2/howto/custom-template-tags/#writing-the-compilation-function
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from html import escape
from pathlib import Path

from django import template
from django.conf import settings
from django.template.base import NodeList, Parser, TextNode, Token
from django.urls import get_script_prefix, reverse

from labkit import session_stores
from labkit.base import served_labs
from labkit.base.served_labs import ALL_LABS, CODE, HANDOUT
from labkit.catalog import Catalog, CatalogError, Lab, catalog

register = template.Library()
PANEL = "labkit.panel.middleware.observe"  # the panel serves the handout and the code


@register.simple_tag  # for `{% this_lab as lab %}` in older copies of labs
def this_lab() -> Lab:
    """Return the running lab; a copy outside labs/ is named after its folder."""
    return _lab(settings.FOLDER, settings.LAB)


@register.tag
def lab_number(parser: Parser, token: Token) -> TextNode:
    """Show the number of the running lab."""
    return TextNode(escape(this_lab().number))


@register.tag
def lab_title(parser: Parser, token: Token) -> TextNode:
    """Show the title of the running lab."""
    return TextNode(escape(this_lab().title))


@register.tag
def lab_idea(parser: Parser, token: Token) -> TextNode:
    """Show the sentence that says what the running lab is about."""
    return TextNode(escape(this_lab().idea))


class _TextOf(template.Node):
    """A node that shows the result of a function of the context, which is HTML."""

    def __init__(self, html: Callable[[template.Context], str]) -> None:
        self._html = html

    def render(self, context: template.Context) -> str:
        """Return the HTML. The template does not escape what a node returns."""
        return self._html(context)


@register.tag
def asset(parser: Parser, token: Token) -> _TextOf:
    """Show the URL of a file in src/labkit/base/static/labkit/: `{% asset 'lab.css' %}`."""
    _, quoted = token.split_contents()
    name = quoted.strip("\"'")
    return _TextOf(lambda context: asset_url(name))


def asset_url(name: str) -> str:
    """Return the URL of a file in src/labkit/base/static/labkit/, from a cache."""
    return _address(get_script_prefix(), name)


@register.simple_tag
def session_engine() -> str:
    """Return the session engine and its cache, such as "cached_db, Redis"."""
    return session_stores.describe_engine()


@register.tag
def mark_current(parser: Parser, token: Token) -> _TextOf:
    """Show the links up to `{% endmark_current %}`, with `aria-current` on the current page's.

    The attribute's value is "page". If no link has the current path, as on a page of the wizard or
    the result of a race, the first link with the same first path segment gets the value "true".
    """
    links = parser.parse(("endmark_current",))
    parser.delete_first_token()
    return _TextOf(lambda context: _mark_current(links, context))


def _mark_current(links: NodeList, context: template.Context) -> str:
    content = links.render(context)
    request = getattr(context, "request", None)
    if request is None:
        return content
    section = "/".join(request.path.split("/", 2)[:2]) + "/"
    for start, value in ((f'href="{request.path}"', "page"), (f'href="{section}', "true")):
        if start in content:
            return content.replace(start, f'aria-current="{value}" {start}', 1)
    return content


@register.tag
def reading_links(parser: Parser, token: Token) -> _TextOf:
    """Show the links to the lab's handout and code, and under `lab serve` to all labs.

    Without the panel, which serves the handout and the code, there are no links. The link to the
    current page is marked.
    """
    return _TextOf(lambda context: _reading_links(_reading_page(context)))


def _reading_page(context: template.Context) -> str:
    """Return the path of the current page if it is the handout or the code, or else ""."""
    request = getattr(context, "request", None)
    return request.path_info if request and request.path_info in {HANDOUT, CODE} else ""


@cache
def _reading_links(current: str) -> str:
    """Return the links for the page `current`. They are cached, since every page shows them."""
    if PANEL not in settings.MIDDLEWARE or os.environ.get("LAB_PANEL") == "0":
        return ""
    pages = {HANDOUT: "Handout", CODE: "Code"}
    if served_labs.console_port():
        pages[ALL_LABS] = "All labs"
    marks = {current: ' aria-current="page"'}
    links = (f'<a href="{url}"{marks.get(url, "")}>{pages[url]}</a>' for url in pages)
    return f'<nav class="reading" aria-label="About this lab">{" ".join(links)}</nav>'


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
