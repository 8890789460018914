"""Template filters for text from a file or a manifest.

markdown-it is imported on first use, so that `lab serve` needs less memory.
"""

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from django.template import Library
from django.utils.safestring import SafeString, mark_safe

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

HIDDEN = {"Cc", "Cf", "Zs", "Zl", "Zp", "Cs", "Co", "Cn"}  # Unicode categories

register = Library()


@cache
def _code_only() -> "MarkdownIt":
    """Return a markdown-it that escapes the text, and knows no markup but code."""
    from markdown_it import MarkdownIt

    return MarkdownIt("zero").enable("backticks")


@cache
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).disable(["link", "image", "autolink"])


@register.filter
def visible(text: str) -> str:
    """Return the text with control characters and zero-width characters escaped.

    Each tab character becomes four spaces.
    """
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character == "\t":
        return "    "
    if character != " " and unicodedata.category(character) in HIDDEN:
        return character.encode("unicode_escape").decode()
    return character


@register.filter
def prose(text: str) -> SafeString:
    """Render labkit's own text as HTML: `backquotes` mark code, and all HTML is escaped."""
    return mark_safe(_code_only().renderInline(visible(text)))


@register.filter
def markdown(text: str) -> SafeString:
    """Render labkit's own Markdown (paragraphs, lists and code) as HTML; HTML in it is escaped."""
    return mark_safe(_markdown().render(text))
