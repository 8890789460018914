"""Highlight source code line by line, in five colours, for all of labkit's pages."""

from functools import cache
from itertools import groupby

from pygments.lexers import get_lexer_by_name
from pygments.token import Token, _TokenType

from labkit.render.template_filters import visible

LEXERS = {".py": "python", ".html": "html+django", ".toml": "toml", ".css": "css", ".js": "js"}

# The first group that contains a token's type determines the class; tokens in no group are plain.
# The letters are classes in render/standalone.css and console/static/console.css.
GROUPS = {
    Token.Comment.Preproc: "k",  # a Django template tag
    Token.Comment: "c",
    Token.Literal.String: "s",
    Token.Keyword: "k",
    Token.Operator.Word: "k",
    Token.Name.Tag: "k",
    Token.Name.Function: "f",
    Token.Name.Class: "f",
    Token.Name.Decorator: "f",
    Token.Name.Attribute: "f",
    Token.Literal.Number: "n",
}

# The class of each character in a line; "" means that the character has no colour.
Colours = list[str]
Span = tuple[str, str]  # (class, text in which hidden characters are visible)


def colour_lines(text: str, suffix: str) -> list[Colours]:
    """Return the CSS classes of the characters in each line.

    `suffix`: the file's suffix, such as ".py". If the language is unknown, the list is empty, and
    `spans` returns plain text.
    """
    if suffix not in LEXERS:
        return []
    lexer = get_lexer_by_name(LEXERS[suffix], stripnl=False, ensurenl=False)
    lines: list[Colours] = [[]]
    for token, piece in lexer.get_tokens(text):
        first, *others = piece.split("\n")
        lines[-1] += [_group(token)] * len(first)
        lines += ([_group(token)] * len(part) for part in others)
    return lines


@cache
def _group(token: _TokenType) -> str:
    return next((name for group, name in GROUPS.items() if token in group), "")


def spans(text: str, colours: Colours) -> list[Span]:
    """Split text into pieces that each have one class. Characters that have no colour are plain."""
    classes = [*colours, *[""] * (len(text) - len(colours))]
    pairs = groupby(zip(classes, text, strict=False), key=lambda pair: pair[0])
    return [(name, visible("".join(sign for _, sign in run))) for name, run in pairs]


def highlight(text: str, suffix: str) -> list[list[Span]]:
    """Return the spans of each line of a file with this suffix."""
    lines = text.split("\n")
    colours = colour_lines(text, suffix) or [[] for _ in lines]
    return [spans(line, classes) for line, classes in zip(lines, colours, strict=True)]
