"""Sentences about a comparison that the terminal and the page share."""

from itertools import groupby

from labkit.diff.data_classes import Comparison, FileDiff, Hunk
from labkit.diff.lines import Row
from labkit.render.template_filters import visible
from labkit.text_format import quantity

NO_NOTE = "no note yet: say why in labs/notes.toml"
NOTHING = "Nothing differs."


def group_rows(rows: tuple[Row, ...]) -> list[list[Row]]:
    """Return the rows in runs, each with only unchanged or only changed ones."""
    return [list(run) for _, run in groupby(rows, key=lambda row: row.same)]


def note_text(found: Comparison, hunk: Hunk) -> str:
    """Return why this change is there; "" for a pair that has no notes at all."""
    return hunk.note or (NO_NOTE if found.has_notes else "")


def location(hunk: Hunk) -> str:
    """Return the lines of a change in words."""
    old, new = hunk.line_range(new=False), hunk.line_range(new=True)
    if not new:
        return f"{_lines(old)}, gone"
    if not old:
        return f"{_lines(new)}, new"
    return _lines(old) if old == new else f"{_lines(old)}, now {new}"


def _lines(numbers: str) -> str:
    return f"lines {numbers}" if "-" in numbers else f"line {numbers}"


def summary(found: Comparison) -> str:
    """Return in one sentence how much differs."""
    if not found.files:
        return NOTHING
    return (
        f"{quantity(len(found.hunks), 'change')} in {quantity(len(found.files), 'file')}; "
        f"{quantity(len(found.same), 'file')} the same."
    )


def about(found: Comparison) -> list[str]:
    """Return what a reader has to know about the two sides, each sentence once."""
    return list(dict.fromkeys(filter(None, (found.old.about, found.new.about))))


def remark(file: FileDiff, found: Comparison) -> str:
    """Return what has to be said about a file as a whole, or ""."""
    side = found.new if file.old is None else found.old if file.new is None else None
    only = f"Only in {visible(side.name)}." if side else ""
    return " ".join(filter(None, (only, file.remark)))


def ending(found: Comparison) -> list[str]:
    """Return sentences on everything that was not shown."""
    sentences = []
    if found.same:
        sentences.append(f"The same in both: {', '.join(found.same)}.")
    if found.old.lab and found.new.lab and not found.old.rest:
        sentences.append("Not compared: README.md, the handout.")
    if not found.has_notes and found.files:
        sentences.append("No notes are kept for these two.")
    return sentences
