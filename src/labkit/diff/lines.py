"""Align the lines of two texts, and find the lines and words that differ.

Each function is aligned with Python's difflib: https://docs.python.org/3/library/difflib.html
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from itertools import zip_longest

TOKEN = re.compile(r"\s+|\w+|[^\w\s]")
ALIKE = 0.5  # the share of words that two lines must have in common to count as one changed line
# The limit on the number of old lines times new lines, above which similar lines are not paired.
MOST_PAIRS = 40_000
NO_END = "␄"  # the mark on a last line that has no line feed
RETURN = "␍"
BLANKS = str.maketrans({" ": "·", "\t": "→"})

Span = tuple[int, int]  # positions in a line: of the first character, and after the last one


@dataclass(frozen=True)
class Line:
    """A line on one side."""

    number: int  # from 1
    text: str  # the line without its line feed; any other line ending is made visible
    marks: tuple[Span, ...] = ()  # the spans that differ from the line on the other side


@dataclass(frozen=True)
class Row:
    """Two lines side by side, or one line that the other side lacks."""

    old: Line | None
    new: Line | None
    same: bool = False


def split(text: str) -> list[str]:
    """Return the lines of this text, with a CR or a missing final line feed made visible.

    A form feed or U+2028 does not end a line, as in Python and git.
    """
    if not text:
        return []
    lines = text.split("\n")
    last = lines.pop()
    if last:
        lines.append(last + NO_END)
    return [line[:-1] + RETURN if line.endswith("\r") else line for line in lines]


def pieces(line: Line) -> Iterator[tuple[bool, int, str]]:
    """Yield (whether it differs, position, text) for each piece of a line.

    Changed blanks at the start or end of a piece are replaced with visible characters.
    """
    at = 0
    for start, end in line.marks:
        if at < start:
            yield False, at, line.text[at:start]
        piece = line.text[start:end]
        core = piece.strip()
        before, _, after = piece.partition(core) if core else (piece, "", "")
        yield True, start, before.translate(BLANKS) + core + after.translate(BLANKS)
        at = end
    if at < len(line.text):
        yield False, at, line.text[at:]


# Lines


def rows(old: list[str], new: list[str], python: bool) -> Iterator[list[Row]]:
    """Yield all lines of both texts, in runs that are either equal or changed.

    If `python` is true, a function is compared only with a function of the same name.
    """
    blocks = [_blocks("\n".join(lines)) if python else [] for lines in (old, new)]
    blocks = [b or [("", 0, len(lines))] for b, lines in zip(blocks, (old, new), strict=True)]
    names = [[name for name, _, _ in side] for side in blocks]
    for tag, a, b, c, d in SequenceMatcher(None, names[0], names[1], autojunk=False).get_opcodes():
        if tag == "equal":
            for one, two in zip(blocks[0][a:b], blocks[1][c:d], strict=True):
                yield from _runs(old, new, one[1:], two[1:])
        else:
            yield from _runs(old, new, _around(blocks[0], a, b), _around(blocks[1], c, d))


def listed(old: list[str], new: list[str]) -> Iterator[list[Row]]:
    """Yield the lines of two lists in pairs by position, whether or not they are similar."""
    for number, (one, two) in enumerate(zip(old, new, strict=True), 1):
        marks = words(one, two)
        yield [Row(Line(number, one, marks[0]), Line(number, two, marks[1]), same=one == two)]


def _around(blocks: list[tuple[str, int, int]], first: int, last: int) -> Span:
    if first == last:
        at = blocks[first][1] if first < len(blocks) else blocks[-1][2]
        return at, at
    return blocks[first][1], blocks[last - 1][2]


def _blocks(text: str) -> list[tuple[str, int, int]]:
    """Return (name, first line, line after the last) for functions and the lines before each."""
    found, at = [], 0
    for name, start, end in functions(text):
        found.append((name, at, end))
        at = max(start, end)
    count = len(text.split("\n"))
    return [*found, ("", at, count)]


@cache
def functions(text: str) -> list[tuple[str, int, int]]:
    """Return ("def name", first line, line after the last) of functions and classes.

    Lines are counted from 0. Decorators belong to their function. The list is empty if the text is
    not valid Python.
    """
    try:
        tree = ast.parse(text.replace(RETURN, "").replace(NO_END, ""))
    except (SyntaxError, ValueError):
        return []
    found = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{'class' if isinstance(node, ast.ClassDef) else 'def'} {node.name}"
            first = min(part.lineno for part in (node, *node.decorator_list))
            found.append((name, first - 1, node.end_lineno or first))
    return found


def enclosing_blocks(text: list[str]) -> dict[int, str]:
    """Return {line number from 1: enclosing function or class} for all lines that have one."""
    found: dict[int, str] = {}
    for name, start, end in functions("\n".join(text)):
        found |= dict.fromkeys(range(start + 1, end + 1), name)
    return found


def _runs(old: list[str], new: list[str], one: Span, two: Span) -> Iterator[list[Row]]:
    a, b = old[slice(*one)], new[slice(*two)]
    for tag, i, j, k, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        first, second = one[0] + i, two[0] + k
        if tag == "equal":
            both = enumerate(a[i:j])
            yield [Row(Line(first + n + 1, t), Line(second + n + 1, t), same=True) for n, t in both]
        else:
            yield list(_changed(a[i:j], b[k:m], first + 1, second + 1))


# Words


def _changed(old: list[str], new: list[str], first: int, second: int) -> Iterator[Row]:
    """Yield changed lines, with similar ones side by side and their differences marked."""
    at = below = 0
    for n, m in [*_pairs(old, new), (len(old), len(new))]:
        left = [Line(first + number, old[number]) for number in range(at, n)]
        right = [Line(second + number, new[number]) for number in range(below, m)]
        yield from (Row(one, two) for one, two in zip_longest(left, right))
        if n < len(old):
            marks = words(old[n], new[m])
            yield Row(Line(first + n, old[n], marks[0]), Line(second + m, new[m], marks[1]))
        at, below = n + 1, m + 1


def _pairs(old: list[str], new: list[str]) -> list[tuple[int, int]]:
    """Return the (old, new) indices of the most similar lines; pairs do not cross."""
    if not 0 < len(old) * len(new) <= MOST_PAIRS:
        return []
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    ratios = [[_similarity(one, two) for two in new] for one in old]
    for n in reversed(range(len(old))):
        for m in reversed(range(len(new))):
            together = ratios[n][m] + best[n + 1][m + 1] if ratios[n][m] else 0
            best[n][m] = max(together, best[n + 1][m], best[n][m + 1])
    found, n, m = [], 0, 0
    while n < len(old) and m < len(new):
        if ratios[n][m] and best[n][m] == ratios[n][m] + best[n + 1][m + 1]:
            found.append((n, m))
            n, m = n + 1, m + 1
        elif best[n][m] == best[n + 1][m]:
            n += 1
        else:
            m += 1
    return found


def _similarity(one: str, two: str) -> float:
    a, b = ([token for token in TOKEN.findall(text) if token.strip()] for text in (one, two))
    if not a or not b:
        return 0.0
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    if matcher.quick_ratio() < ALIKE:
        return 0.0
    ratio = matcher.ratio()
    return ratio if ratio >= ALIKE else 0.0


def words(one: str, two: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """Return the spans that differ, first those of line `one`, then those of line `two`.

    Each word, punctuation mark and run of blanks is compared as a whole. Two differences separated
    only by blanks are merged into one.
    """
    tokens = [TOKEN.findall(text) for text in (one, two)]
    matcher = SequenceMatcher(None, tokens[0], tokens[1], autojunk=False)
    changed = [ends for tag, *ends in matcher.get_opcodes() if tag != "equal"]
    return (
        _spans(tokens[0], [(ends[0], ends[1]) for ends in changed]),
        _spans(tokens[1], [(ends[2], ends[3]) for ends in changed]),
    )


def _spans(tokens: list[str], changed: list[Span]) -> tuple[Span, ...]:
    starts = [0]
    for token in tokens:
        starts.append(starts[-1] + len(token))
    merged: list[Span] = []
    for start, end in changed:
        if start == end:
            continue
        if merged and "".join(tokens[merged[-1][1] : start]).isspace():
            start = merged.pop()[0]  # noqa: PLW2901
        merged.append((start, end))
    return tuple((starts[start], starts[end]) for start, end in merged)
