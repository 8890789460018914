"""Format a comparison as text for a terminal, with or without colour."""

import textwrap
from collections.abc import Iterator

import click

from labkit.diff.data_classes import Comparison, Hunk, Part
from labkit.diff.lines import Line, Row, pieces
from labkit.render.template_filters import visible
from labkit.text_format import command_line

CONTEXT = 3  # unchanged lines shown on each side of a change
WIDEST = 100  # in columns; longer lines of prose are hard to read


def text(found: Comparison, colour: bool, width: int = 80, *, tests: bool = False) -> str:
    """Return the comparison as text; without colour, [-old-] and {+new+} mark changed words.

    tests: whether to show changed tests even if code has changed too.
    """
    return "\n".join(Writer(colour, min(width, WIDEST)).all(found, tests)) + "\n"


class Writer:
    """Formats the parts of a comparison for a terminal of this width, in colour or with marks."""

    def __init__(self, colour: bool, width: int) -> None:
        self.colour = colour
        self.width = width

    def style(self, words: str, **style: object) -> str:
        return click.style(words, **style) if self.colour else words  # type: ignore[arg-type]

    def prose(self, words: str, margin: str = "", **style: object) -> Iterator[str]:
        """Wrap text that may come from a file, and make its hidden characters visible."""
        for line in textwrap.wrap(visible(words), self.width - len(margin)):
            yield self.style(margin + line, **style)

    def all(self, found: Comparison, tests: bool) -> Iterator[str]:
        old, new = found.old, found.new
        yield self.style(f"- {visible(old.name)}  {visible(old.title)}", fg="red", bold=True)
        yield self.style(f"+ {visible(new.name)}  {visible(new.title)}", fg="green", bold=True)
        for sentence in found.about:
            yield ""
            yield from self.prose(sentence)
        yield ""
        yield from self.prose(found.summary)
        for part in found.parts:
            if part.name == "tests" and found.parts[1:] and not tests:
                command = command_line("lab", "diff", old.name, new.name, "--tests")
                yield ""
                yield self.style("━" * self.width, dim=True)
                yield self.style(f"Tests: {part.summary}", bold=True)
                yield f"{visible(command)} shows them."
            else:
                yield from self.part(found, part)
        yield ""
        yield self.style("━" * self.width, dim=True)
        for sentence in found.ending:
            yield from self.prose(sentence)

    def part(self, found: Comparison, part: Part) -> Iterator[str]:
        number = 0
        for file in part.files:
            yield ""
            yield self.style("━" * self.width, dim=True)
            yield self.style(visible(file.name), bold=True)
            if remark := found.remark(file):
                yield from self.prose(remark)
            for hunk in file.hunks:
                number += 1
                yield ""
                place = self.style(f"  {hunk.location}", dim=True)
                yield self.style(f"{number} of {len(part.hunks)}", bold=True) + place
                yield from self.hunk(found, hunk, first=hunk is file.hunks[0])
            yield from map(self.same, file.after[:CONTEXT] if file.hunks else ())

    def hunk(self, found: Comparison, hunk: Hunk, first: bool) -> Iterator[str]:
        yield from self.prose(found.note_text(hunk), "▌ ", fg="yellow" if hunk.note else "magenta")
        # Lines between two changes are shown only once, before the second change.
        shown = hunk.before[-CONTEXT:] if first else hunk.before[-2 * CONTEXT :]
        if len(shown) < len(hunk.before):
            yield self.style(f"{'':11}⋮", dim=True)
        yield from map(self.same, shown)
        for run in hunk.runs():
            if run[0].same:
                yield from map(self.same, run)
            else:
                yield from (self.line(row.old, "-", "red") for row in run if row.old)
                yield from (self.line(row.new, "+", "green") for row in run if row.new)

    def same(self, row: Row) -> str:
        assert row.old is not None
        assert row.new is not None
        numbers = self.style(f"{row.old.number:>4} {row.new.number:>4}", dim=True)
        return f"{numbers}   {visible(row.old.text)}".rstrip()

    def line(self, line: Line, mark: str, fg: str) -> str:
        numbers = f"{line.number:>4}     " if mark == "-" else f"{'':5}{line.number:>4}"
        words = "".join(self.piece(visible(t), differs, mark, fg) for differs, _, t in pieces(line))
        return f"{self.style(numbers, dim=True)} {self.style(mark, fg=fg, bold=True)} {words}"

    def piece(self, piece: str, differs: bool, mark: str, fg: str) -> str:
        if not differs:
            return self.style(piece, fg=fg)
        if self.colour:
            return click.style(piece, fg=fg, reverse=True)
        return f"[-{piece}-]" if mark == "-" else f"{{+{piece}+}}"
