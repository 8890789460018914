"""A comparison prepared for templates: for the console, and for `lab diff --html`."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from labkit.diff import summary
from labkit.diff.inputs import File, Side
from labkit.diff.lines import Line, Row
from labkit.diff.models import Comparison, FileDiff, Hunk
from labkit.render import standalone
from labkit.render.filters import visible
from labkit.render.highlight import Colours, Span, colour_lines, spans

MADE_BY = "lab diff, of labkit"
STYLE = Path(__file__).with_name("diff.css")
FOLDED = 8  # unchanged lines between two changes that are shown without being asked for
CONTEXT = 3


@dataclass(frozen=True)
class PagePiece:
    """A part of a line that differs from its counterpart, or is the same."""

    differs: bool
    spans: list[Span]
    before: str = ""  # blanks that differ, made visible
    after: str = ""


@dataclass(frozen=True)
class PageLine:
    """One line; without a number, the empty place beside a line of the other side."""

    side: str  # "old" or "new"
    number: int = 0
    old_number: int = 0  # of an unchanged line
    only_in: str = ""  # the name of the side that has it
    spans: list[Span] = field(default_factory=list)  # of an unchanged line
    pieces: list[PagePiece] = field(default_factory=list)  # of a changed line


@dataclass(frozen=True)
class PageBlock:
    """Lines that are "unchanged", "folded" (unchanged, behind a summary) or "changed"."""

    kind: str
    lines: list[PageLine]


@dataclass(frozen=True)
class PageChange:
    """One change with its note."""

    number: int
    previous: int  # the numbers of the changes around it, or 0
    next: int
    location: str
    note: str
    blocks: list[PageBlock]


@dataclass(frozen=True)
class PageFile:
    """One file that differs."""

    number: int
    name: str
    remark: str
    changes: list[PageChange]


@dataclass(frozen=True)
class PageDiff:
    """A whole comparison, as render/diff_*.html show it."""

    old: Side
    new: Side
    about: list[str]
    summary: str
    count: int  # of changes
    files: list[PageFile]
    ending: list[str]


def html(found: Comparison) -> str:
    """Return the page that opens offline."""
    title = f"{found.old.name} and {found.new.name}: what differs, and why"
    context = {"diff": page_diff(found)}
    return standalone.render_page("render/diff.html", title, MADE_BY, [STYLE], context)


def page_diff(found: Comparison) -> PageDiff:
    """Return the comparison as templates show it."""
    files: list[PageFile] = []
    for number, file in enumerate(found.files, 1):
        before = sum(len(shown.changes) for shown in files)
        changes = list(_changes(found, file, before))
        files.append(PageFile(number, file.name, summary.remark(file, found), changes))
    return PageDiff(
        found.old,
        found.new,
        summary.about(found),
        summary.summary(found),
        len(found.hunks),
        files,
        summary.ending(found),
    )


def _changes(found: Comparison, file: FileDiff, before: int) -> Iterator[PageChange]:
    """Yield the changes of a file; `before` is how many the files above it have."""
    lines = _Lines(found, file)
    count = len(found.hunks)
    for number, hunk in enumerate(file.hunks, before + 1):
        rest = file.after if hunk is file.hunks[-1] else ()
        yield PageChange(
            number,
            number - 1,
            number + 1 if number < count else 0,
            summary.location(hunk),
            summary.note_text(found, hunk),
            list(lines.blocks(hunk, rest)),
        )


class _Lines:
    """The lines of one file, highlighted."""

    def __init__(self, found: Comparison, file: FileDiff) -> None:
        self.found = found
        self.old, self.new = _colours(file.old), _colours(file.new)

    def blocks(self, hunk: Hunk, rest: tuple[Row, ...]) -> Iterator[PageBlock]:
        """Yield a change between the unchanged lines around it; many of those are folded."""
        yield from self.around(hunk.before)
        for run in summary.group_rows(hunk.rows):
            yield self.unchanged(run) if run[0].same else self.changed(run)
        yield from self.around(rest, last=True)

    def around(self, rows: tuple[Row, ...], last: bool = False) -> Iterator[PageBlock]:
        if len(rows) <= FOLDED:
            yield self.unchanged(rows)
        elif last:
            yield self.unchanged(rows[:CONTEXT])
            yield self.unchanged(rows[CONTEXT:], "folded")
        else:
            yield self.unchanged(rows[:-CONTEXT], "folded")
            yield self.unchanged(rows[-CONTEXT:])

    def unchanged(self, rows: tuple[Row, ...] | list[Row], kind: str = "unchanged") -> PageBlock:
        lines = [
            PageLine("new", row.new.number, row.old.number, spans=_spans(row.new, self.new))
            for row in rows
            if row.old and row.new
        ]
        return PageBlock(kind, lines)

    def changed(self, run: list[Row]) -> PageBlock:
        """Return all lines of one side, then all of the other."""
        old = [self.line(row.old, "old", self.found.old, self.old) for row in run]
        new = [self.line(row.new, "new", self.found.new, self.new) for row in run]
        return PageBlock("changed", [*old, *new])

    def line(self, line: Line | None, kind: str, side: Side, colours: list[Colours]) -> PageLine:
        if line is None:
            return PageLine(kind)
        return PageLine(
            kind,
            line.number,
            only_in=side.name,
            pieces=list(_pieces(line, _of_line(line, colours))),
        )


def _colours(file: File | None) -> list[Colours]:
    """Return the classes of the characters of each line of a file."""
    text = file.text() if file else None
    suffix = "." + file.name.rpartition(".")[2].partition(",")[0] if file else ""
    return colour_lines(text, suffix) if text else []


def _of_line(line: Line, colours: list[Colours]) -> Colours:
    return colours[line.number - 1] if line.number <= len(colours) else []


def _spans(line: Line, colours: list[Colours]) -> list[Span]:
    return spans(line.text, _of_line(line, colours))


def _pieces(line: Line, colours: Colours) -> Iterator[PagePiece]:
    """Yield the parts of a changed line; blanks at the ends of a difference become visible."""
    at = 0
    for start, end in line.marks:
        if at < start:
            yield PagePiece(False, spans(line.text[at:start], colours[at:start]))
        piece = line.text[start:end]
        core = piece.strip()
        first = start + piece.index(core) if core else end
        last = first + len(core)
        before, after = (
            visible(blanks, True) for blanks in (line.text[start:first], line.text[last:end])
        )
        yield PagePiece(True, spans(core, colours[first:last]), before, after)
        at = end
    if at < len(line.text):
        yield PagePiece(False, spans(line.text[at:], colours[at:]))
