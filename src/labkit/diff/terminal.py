"""A comparison as text for a terminal, in colour or readable without any."""

import textwrap
from collections.abc import Iterator

import click

from labkit.diff.comparison import Comparison, FileDiff, Hunk
from labkit.diff.lines import Line, Row, pieces, visible
from labkit.text import quantity

CONTEXT = 3  # unchanged lines shown on either side of a change
WIDEST = 100  # columns; longer lines of prose are hard to read
NO_NOTE = "no note yet: say why in labs/notes.toml"


def text(found: Comparison, colour: bool, width: int = 80) -> str:
    """The whole comparison. Without colour, words that differ stand in [-old-] and {+new+}."""
    return "\n".join(_Writer(colour, min(width, WIDEST)).all(found)) + "\n"


class _Writer:
    def __init__(self, colour: bool, width: int) -> None:
        self.colour = colour
        self.width = width

    def style(self, words: str, **style: object) -> str:
        return click.style(words, **style) if self.colour else words  # type: ignore[arg-type]

    def prose(self, words: str, margin: str = "", **style: object) -> Iterator[str]:
        """Words in lines that fit. What they tell may have come from a file: nothing hides."""
        for line in textwrap.wrap(visible(words), self.width - len(margin)):
            yield self.style(margin + line, **style)

    def all(self, found: Comparison) -> Iterator[str]:
        old, new = found.old, found.new
        yield self.style(f"- {visible(old.name)}  {visible(old.title)}", fg="red", bold=True)
        yield self.style(f"+ {visible(new.name)}  {visible(new.title)}", fg="green", bold=True)
        for about in dict.fromkeys(filter(None, (old.about, new.about))):
            yield ""
            yield from self.prose(about)
        yield ""
        yield from self.prose(summary(found))
        number = 0
        for file in found.files:
            yield ""
            yield self.style("━" * self.width, dim=True)
            yield self.style(visible(file.name), bold=True)
            if told := remark(file, found):
                yield from self.prose(told)
            previous = None
            for hunk in file.hunks:
                number += 1
                yield ""
                yield from self.hunk(found, hunk, number, first=previous is None)
                previous = hunk
            yield from map(self.same, file.after[:CONTEXT] if file.hunks else ())
        yield ""
        yield self.style("━" * self.width, dim=True)
        for sentence in ending(found):
            yield from self.prose(sentence)

    def hunk(self, found: Comparison, hunk: Hunk, number: int, first: bool) -> Iterator[str]:
        yield self.style(f"{number} of {len(found.hunks)}", bold=True) + self.style(
            f"  {where(hunk)}", dim=True
        )
        note = hunk.note or (NO_NOTE if found.kept else "")
        yield from self.prose(note, "▌ ", fg="yellow" if hunk.note else "magenta")
        # Lines between two changes are shown once, before the second.
        shown = hunk.before[-CONTEXT:] if first else hunk.before[-2 * CONTEXT :]
        if len(shown) < len(hunk.before):
            yield self.style(f"{'':11}⋮", dim=True)
        yield from map(self.same, shown)
        for run in runs(hunk.rows):
            if run[0].same:
                yield from map(self.same, run)
            else:
                yield from (self.line(row.old, "-", "red") for row in run if row.old)
                yield from (self.line(row.new, "+", "green") for row in run if row.new)

    def same(self, row: Row) -> str:
        assert row.old
        assert row.new
        numbers = self.style(f"{row.old.number:>4} {row.new.number:>4}", dim=True)
        return f"{numbers}   {visible(row.old.text)}".rstrip()

    def line(self, line: Line, mark: str, fg: str) -> str:
        numbers = f"{line.number:>4}     " if mark == "-" else f"{'':5}{line.number:>4}"
        words = "".join(self.piece(piece, changed, mark, fg) for changed, piece in pieces(line))
        return f"{self.style(numbers, dim=True)} {self.style(mark, fg=fg, bold=True)} {words}"

    def piece(self, piece: str, changed: bool, mark: str, fg: str) -> str:
        if not changed:
            return self.style(piece, fg=fg)
        if self.colour:
            return click.style(piece, fg=fg, reverse=True)
        return f"[-{piece}-]" if mark == "-" else f"{{+{piece}+}}"


# What the page tells as well


def runs(rows: tuple[Row, ...]) -> list[list[Row]]:
    """The rows in runs, each all the same or all different."""
    found: list[list[Row]] = []
    for row in rows:
        if found and found[-1][0].same == row.same:
            found[-1].append(row)
        else:
            found.append([row])
    return found


def where(hunk: Hunk) -> str:
    """Which lines a change is in, in words."""
    old, new = hunk.where(new=False), hunk.where(new=True)
    if not new:
        return f"{_lines(old)}, gone"
    if not old:
        return f"{_lines(new)}, new"
    return _lines(old) if old == new else f"{_lines(old)}, now {new}"


def _lines(range_: str) -> str:
    return f"lines {range_}" if "-" in range_ else f"line {range_}"


def summary(found: Comparison) -> str:
    """How much differs, in one sentence."""
    if not found.files:
        return "Nothing differs."
    return (
        f"{quantity(len(found.hunks), 'change')} in {quantity(len(found.files), 'file')}; "
        f"{quantity(len(found.same), 'file')} the same."
    )


def remark(file: FileDiff, found: Comparison) -> str:
    """What has to be said of a file as a whole, or nothing."""
    side = found.new if file.old is None else found.old if file.new is None else None
    only = f"Only in {visible(side.name)}." if side else ""
    return " ".join(filter(None, (only, file.remark)))


def ending(found: Comparison) -> list[str]:
    """What was not shown, by name."""
    told = []
    if found.same:
        told.append(f"The same in both: {', '.join(found.same)}.")
    if found.old.lab and found.new.lab and not found.old.rest:
        told.append("Not compared: README.md, the handout.")
    if not found.kept and found.files:
        told.append("No notes are kept for these two.")
    return told
