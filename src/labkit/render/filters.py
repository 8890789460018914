"""Template filters for text that may come from a file or from a manifest."""

import unicodedata

from django.template import Library
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

HIDDEN = {"Cc", "Cf", "Zs", "Zl", "Zp", "Cs", "Co", "Cn"}  # Unicode categories

register = Library()
_code_only = MarkdownIt("zero").enable("backticks")


@register.filter
def visible(text: str, dots: bool = False) -> str:
    """Return the text with control and zero-width characters escaped, so that nothing hides.

    With `dots`, a space becomes a dot and a tab an arrow; otherwise a tab becomes four spaces.
    """
    if text.isprintable() and not dots:
        return text
    return "".join(_visible(character, dots) for character in text)


def _visible(character: str, dots: bool) -> str:
    if character == "\t":
        return "→" if dots else "    "
    if character == " ":
        return "·" if dots else " "
    if unicodedata.category(character) in HIDDEN:
        return character.encode("unicode_escape").decode()
    return character


@register.filter
def prose(text: str) -> SafeString:
    """Return labkit's own text as HTML: `backquotes` mark code, everything else is escaped."""
    # markdown-it escapes the text, and this instance knows no other markup.
    return mark_safe(_code_only.renderInline(visible(text)))
