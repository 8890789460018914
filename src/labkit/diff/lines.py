"""Lines and words: which lines differ between two texts, and which words of those lines.

The alignment is difflib's, https://docs.python.org/3/library/difflib.html, function by function.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache

from labkit.render.filters import visible

TOKEN = re.compile(r"\s+|\w+|[^\w\s]")
ALIKE = 0.5  # of their words in common: below this two lines are not one line that was changed
MOST_PAIRS = 40_000  # old lines times new lines; beyond, nothing is gained by looking for pairs
NO_END = "␄"  # the last line, where the file ends without a line feed
RETURN = "␍"

Span = tuple[int, int]  # of characters, the second one not included


@dataclass(frozen=True)
class Line:
    """One line of one side."""

    number: int  # from 1
    text: str  # without its line feed; any other end of a line is visible
    marks: tuple[Span, ...] = ()  # what differs from the line it is paired with


@dataclass(frozen=True)
class Row:
    """What stands side by side: a line of each, or of one of them."""

    old: Line | None
    new: Line | None
    same: bool = False


def split(text: str) -> list[str]:
    """The lines of a text. What else than a line feed ends a line is shown as a sign.

    A form feed or U+2028 ends no line here, as it ends none for Python and for git.
    """
    if not text:
        return []
    lines = text.split("\n")
    last = lines.pop()
    if last:
        lines.append(last + NO_END)
    return [line[:-1] + RETURN if line.endswith("\r") else line for line in lines]


def pieces(line: Line) -> Iterator[tuple[bool, str]]:
    """The line in pieces, each with whether it differs, ready to be read.

    A space that differs is a dot where else nobody would see it: at the ends of a piece.
    """
    at = 0
    for start, end in line.marks:
        if at < start:
            yield False, visible(line.text[at:start])
        piece = line.text[start:end]
        core = piece.strip()
        before = len(piece) - len(piece.lstrip()) if core else len(piece)
        shown = visible(piece[:before], True) + visible(core)
        yield True, shown + visible(piece[before + len(core) :], True)
        at = end
    if at < len(line.text):
        yield False, visible(line.text[at:])


# Which lines


def rows(old: list[str], new: list[str], python: bool) -> Iterator[list[Row]]:
    """All lines of both, in runs that are the same or differ.

    In Python a function is held against the one of the same name, and not against another that
    happens to have the same lines in it.
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
    """The same for two lists: the first line beside the first, however little they are alike."""
    for number, (one, two) in enumerate(zip(old, new, strict=True), 1):
        marks = words(one, two)
        yield [Row(Line(number, one, marks[0]), Line(number, two, marks[1]), same=one == two)]


def _around(blocks: list[tuple[str, int, int]], first: int, last: int) -> Span:
    if first == last:
        at = blocks[first][1] if first < len(blocks) else blocks[-1][2]
        return at, at
    return blocks[first][1], blocks[last - 1][2]


def _blocks(text: str) -> list[tuple[str, int, int]]:
    """(name, first line, line after the last) of each function with what stands before it."""
    found, at = [], 0
    for name, start, end in functions(text):
        found.append((name, at, end))
        at = max(start, end)
    count = len(text.split("\n"))
    return [*found, ("", at, count)]


@cache
def functions(text: str) -> list[tuple[str, int, int]]:
    """("def name", first line, line after the last) of functions and classes, counted from 0.

    Decorators count as theirs. None where this is not Python that can be read.
    """
    try:
        tree = ast.parse(text.replace(RETURN, "").replace(NO_END, ""))
    except (SyntaxError, ValueError):
        return []
    found = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{'class' if isinstance(node, ast.ClassDef) else 'def'} {node.name}"
            first = min([node, *node.decorator_list], key=_line).lineno
            found.append((name, first - 1, node.end_lineno or first))
    return found


def inside(text: list[str]) -> dict[int, str]:
    """For each line, counted from 1, the function or class that it is in; none where in none."""
    found: dict[int, str] = {}
    for name, start, end in functions("\n".join(text)):
        found |= dict.fromkeys(range(start + 1, end + 1), name)
    return found


def _line(node: ast.stmt | ast.expr) -> int:
    return node.lineno


def _runs(old: list[str], new: list[str], one: Span, two: Span) -> Iterator[list[Row]]:
    a, b = old[slice(*one)], new[slice(*two)]
    for tag, i, j, k, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        first, second = one[0] + i, two[0] + k
        if tag == "equal":
            both = enumerate(a[i:j])
            yield [Row(Line(first + n + 1, t), Line(second + n + 1, t), same=True) for n, t in both]
        else:
            yield list(_changed(a[i:j], b[k:m], first + 1, second + 1))


# Which words


def _changed(old: list[str], new: list[str], first: int, second: int) -> Iterator[Row]:
    """Lines of one place, those that are alike side by side with their words compared."""
    at = below = 0
    for n, m in [*_pairs(old, new), (len(old), len(new))]:
        left = [Line(first + number, old[number]) for number in range(at, n)]
        right = [Line(second + number, new[number]) for number in range(below, m)]
        for number in range(max(len(left), len(right))):
            yield Row(_at(left, number), _at(right, number))
        if n < len(old):
            marks = words(old[n], new[m])
            yield Row(Line(first + n, old[n], marks[0]), Line(second + m, new[m], marks[1]))
        at, below = n + 1, m + 1


def _at(lines: list[Line], number: int) -> Line | None:
    return lines[number] if number < len(lines) else None


def _pairs(old: list[str], new: list[str]) -> list[tuple[int, int]]:
    """Which old line became which new one: the pairs most alike, none crossing another."""
    if not 0 < len(old) * len(new) <= MOST_PAIRS:
        return []
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    ratios = [[_alike(one, two) for two in new] for one in old]
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


def _alike(one: str, two: str) -> float:
    a, b = ([token for token in TOKEN.findall(text) if token.strip()] for text in (one, two))
    if not a or not b:
        return 0.0
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    if matcher.quick_ratio() < ALIKE:
        return 0.0
    ratio = matcher.ratio()
    return ratio if ratio >= ALIKE else 0.0


def words(one: str, two: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    """What differs between two lines: the spans of the first, and those of the second.

    Words, signs and runs of blanks are compared whole; a blank between two that differ goes with
    them.
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
