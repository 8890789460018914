"""Prepare a comparison for the templates of the console and of `lab diff --html`."""

from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from labkit.diff.data_classes import Comparison, FileDiff, Hunk, Part
from labkit.diff.inputs import File
from labkit.diff.lines import Line, Row, pieces
from labkit.render import standalone_page
from labkit.render.highlight import Colours, Span, colour_lines, spans

MADE_BY = "lab diff, of labkit"
STYLE = Path(__file__).with_name("diff.css")
FOLDED = 8  # how many unchanged lines may be between two changes before they are folded
CONTEXT = 3

# A run of rows: `kind` is "unchanged", "folded" or "changed"; `lines` contains the rows.
Block = dict[str, Any]


def html(found: Comparison) -> str:
    """Return the comparison as a page that works offline."""
    title = f"{found.old.name} and {found.new.name}: differences and their reasons"
    context = {"diff": page_diff(found)}
    return standalone_page.render_page("render/diff.html", title, MADE_BY, [STYLE], context)


def page_diff(found: Comparison) -> dict[str, Any]:
    """Return the comparison as context for the templates render/diff_*.html."""
    numbers = count(1)
    return {
        "old": found.old,
        "new": found.new,
        "about": found.about,
        "counts": found.counts,
        "parts": [_part(found, part, numbers) for part in found.parts],
        "ending": found.ending,
    }


def _part(found: Comparison, part: Part, numbers: Iterator[int]) -> dict[str, Any]:
    """Return the context for a part and its files; each file's ID has the next of `numbers`."""
    changes = count(1)
    files = [
        {
            "id": f"file-{next(numbers)}",
            "name": file.name,
            "remark": found.remark(file),
            "changes": list(_changes(found, part, file, changes)),
        }
        for file in part.files
    ]
    # Readers start with the code, so tests are folded if there is code.
    folded = part.name == "tests" and len(found.parts) > 1
    return {
        "name": part.name,
        "summary": part.summary,
        "count": len(part.hunks),
        "files": files,
        "folded": folded,
    }


def _changes(
    found: Comparison, part: Part, file: FileDiff, numbers: Iterator[int]
) -> Iterator[dict[str, Any]]:
    """Yield the context for each change in a file; each ID contains the next of `numbers`."""
    lines = _Lines(found, file)
    prefix = "change" if part.name == "code" else "test-change"
    for hunk in file.hunks:
        number = next(numbers)
        yield {
            "number": number,
            "id": f"{prefix}-{number}",
            "previous": f"{prefix}-{number - 1}" if number > 1 else "",
            "next": f"{prefix}-{number + 1}" if number < len(part.hunks) else "",
            "location": hunk.location,
            "note": found.note_text(hunk),
            "blocks": list(lines.blocks(hunk, file.after if hunk is file.hunks[-1] else ())),
        }


class _Lines:
    """The lines of one file, with syntax highlighting."""

    def __init__(self, found: Comparison, file: FileDiff) -> None:
        self.names = {"old": found.old.name, "new": found.new.name}
        self.colours = {"old": _colours(file.old), "new": _colours(file.new)}

    def blocks(self, hunk: Hunk, rest: tuple[Row, ...]) -> Iterator[Block]:
        """Yield a change and the unchanged lines around it, which are folded if there are many."""
        yield from self.around(hunk.before)
        for run in hunk.runs():
            yield self.unchanged(run) if run[0].same else self.changed(run)
        yield from self.around(rest, last=True)

    def around(self, rows: tuple[Row, ...], last: bool = False) -> Iterator[Block]:
        if len(rows) <= FOLDED:
            yield self.unchanged(rows)
        elif last:
            yield self.unchanged(rows[:CONTEXT])
            yield self.unchanged(rows[CONTEXT:], "folded")
        else:
            yield self.unchanged(rows[:-CONTEXT], "folded")
            yield self.unchanged(rows[-CONTEXT:])

    def unchanged(self, rows: Iterable[Row], kind: str = "unchanged") -> Block:
        lines = [
            {
                "old_number": row.old.number,
                "number": row.new.number,
                "spans": self.spans("new", row.new, 0, row.new.text),
            }
            for row in rows
            if row.old and row.new
        ]
        return {"kind": kind, "lines": lines}

    def changed(self, run: list[Row]) -> Block:
        """Return all changed lines of the old side, then all of the new side."""
        lines = [self.line("old", row.old) for row in run]
        lines += [self.line("new", row.new) for row in run]
        return {"kind": "changed", "lines": lines}

    def line(self, side: str, line: Line | None) -> dict[str, Any]:
        """Return a line, or a placeholder if only the other side has a line here."""
        if line is None:
            return {"side": side}
        return {
            "side": side,
            "number": line.number,
            "only_in": self.names[side],
            "pieces": [
                (differs, self.spans(side, line, start, text))
                for differs, start, text in pieces(line)
            ],
        }

    def spans(self, side: str, line: Line, start: int, text: str) -> list[Span]:
        """Return the coloured pieces of the text at position `start` of a line."""
        # Text in an unknown language has no colours.
        colours = self.colours[side][line.number - 1 : line.number]
        return spans(text, colours[0][start : start + len(text)] if colours else [])


def _colours(file: File | None) -> list[Colours]:
    """Return the CSS classes of the characters in each line of a file."""
    text = file.text() if file else None
    suffix = "." + file.name.rpartition(".")[2].partition(",")[0] if file else ""
    return colour_lines(text, suffix) if text else []
