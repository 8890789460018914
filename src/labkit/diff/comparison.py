"""Holds two sides against each other, file by file in reading order, change by change."""

from dataclasses import dataclass, replace

from labkit.catalog import Catalog, CatalogError
from labkit.diff import inputs as these
from labkit.diff import lines
from labkit.diff.inputs import File, Side
from labkit.diff.lines import Line, Row
from labkit.diff.notes import Notes

CLOSE = 2  # changes with fewer unchanged lines than this between them are one


@dataclass(frozen=True)
class Hunk:
    """One change: what a note speaks of. Outside of functions it is lines that lie together."""

    rows: tuple[Row, ...]  # from the first line that differs to the last
    before: tuple[Row, ...]  # the unchanged lines since the hunk before
    blocks: frozenset[str]  # the functions and classes it is in: "def load"
    note: str = ""  # why it differs; empty where no note is kept

    @property
    def changed(self) -> list[Line]:
        """The lines that differ, of both sides."""
        found = [line for row in self.rows if not row.same for line in (row.old, row.new)]
        return [line for line in found if line]

    def where(self, new: bool) -> str:
        """The lines on one side, "12" or "12-15"; empty where that side has none."""
        found = [line.number for row in self.rows if (line := row.new if new else row.old)]
        if not found:
            return ""
        return f"{found[0]}-{found[-1]}" if found[0] != found[-1] else str(found[0])


@dataclass(frozen=True)
class FileDiff:
    """One file that differs. A side without it has None for it."""

    old: File | None
    new: File | None
    hunks: tuple[Hunk, ...]
    after: tuple[Row, ...] = ()  # the unchanged lines after the last hunk
    remark: str = ""  # what cannot be shown as lines

    @property
    def key(self) -> str:
        """What labs/notes.toml calls it."""
        file = self.old or self.new
        return file.pairs_as if file else ""

    @property
    def name(self) -> str:
        """Its path, or both where they have two names."""
        names = [file.name for file in (self.old, self.new) if file]
        return names[0] if len(set(names)) == 1 else " → ".join(names)


@dataclass(frozen=True)
class Comparison:
    """Two sides and all that differs."""

    old: Side
    new: Side
    files: tuple[FileDiff, ...]
    same: tuple[str, ...]  # the files that do not differ
    kept: bool  # whether notes are kept for these two

    @property
    def hunks(self) -> list[Hunk]:
        """All changes, in reading order."""
        return [hunk for file in self.files for hunk in file.hunks]


def sides(checkout: Catalog, one: str, two: str = "") -> tuple[Side, Side]:
    """The sides of these names; without a second, the first one's twin or what it is a copy of.

    Raises CatalogError where there is none of that name, or nothing to compare it with.
    """
    first = these.side(checkout, one)
    if two:
        return first, these.side(checkout, two)
    if not (other := these.counterpart(first)):
        raise CatalogError(f"{first.name} has no twin. Name a second one to compare it with.")
    second = these.side(checkout, other)
    # A copy comes after what it was made from.
    return (first, second) if first.lab in checkout.labs else (second, first)


def compare(checkout: Catalog, old: Side, new: Side) -> Comparison:
    """All that differs, with the notes that are kept for these two. Raises CatalogError.

    The notes are written for one order; the other one is its mirror image, so that both have the
    same hunks.
    """
    notes = Notes(checkout)
    kept = notes.of(old.name, new.name)
    turned = kept is not None and kept.turned
    found = _compare(new, old) if turned else _compare(old, new)
    if kept:
        found = replace(found, files=tuple(kept.give(file) for file in found.files), kept=True)
    return _turn(found) if turned else found


def _compare(old: Side, new: Side) -> Comparison:
    before = {file.pairs_as: file for file in old.files}
    after = {file.pairs_as: file for file in new.files}
    files, same = [], []
    for key in sorted(before.keys() | after.keys(), key=these.reading_order):
        one, two = before.get(key), after.get(key)
        if one and two and one.content == two.content:
            same.append(one.name)
        else:
            files.append(diff(one, two))
    unchanged = sorted({*same, *old.rest}, key=these.reading_order)
    return Comparison(old, new, tuple(files), tuple(unchanged), kept=False)


def diff(old: File | None, new: File | None) -> FileDiff:
    """What differs between two versions of a file, of which one may be missing."""
    one, two = (file.text() if file else "" for file in (old, new))
    if one is None or two is None:
        return FileDiff(old, new, (), remark="It is no text, or too large to be shown.")
    a, b = lines.split(one), lines.split(two)
    each = bool(old and old.each_line)
    python = not each and any(file.name.endswith(".py") for file in (old, new) if file)
    runs = lines.listed(a, b) if each else lines.rows(a, b, python)
    found = [row for run in runs for row in run]
    hunks, after = _hunks(found, [lines.inside(x) if python else {} for x in (a, b)], each)
    remark = ""
    if old is None or new is None:
        remark = "It is empty." if not hunks else ""
    elif not hunks:
        remark = "Its bytes differ, and none of its lines: compare it with another tool."
    return FileDiff(old, new, tuple(hunks), tuple(after), remark)


def _hunks(
    rows: list[Row], blocks: list[dict[int, str]], each: bool
) -> tuple[list[Hunk], list[Row]]:
    """The changes, and the unchanged rows after the last. `blocks` is of the old and the new."""
    hunks: list[Hunk] = []
    gap: list[Row] = []
    for row in rows:
        if row.same:
            gap.append(row)
            continue
        places = {
            inside[line.number]
            for inside, line in zip(blocks, (row.old, row.new), strict=True)
            if line and line.number in inside
        }
        last = hunks[-1] if hunks and not each else None
        # Within a function all is one change; outside, what lies together is.
        close = not gap or (not places and len(gap) < CLOSE)
        if last and (close or last.blocks & places):
            together = last.blocks | places
            hunks[-1] = replace(last, rows=(*last.rows, *gap, row), blocks=together)
        else:
            hunks.append(Hunk((row,), tuple(gap), frozenset(places)))
        gap = []
    return hunks, gap


def _turn(found: Comparison) -> Comparison:
    """The same, seen from the other side."""

    def rows(given: tuple[Row, ...]) -> tuple[Row, ...]:
        return tuple(Row(row.new, row.old, row.same) for row in given)

    files = tuple(
        FileDiff(
            file.new,
            file.old,
            tuple(replace(h, rows=rows(h.rows), before=rows(h.before)) for h in file.hunks),
            rows(file.after),
            file.remark,
        )
        for file in found.files
    )
    return Comparison(found.new, found.old, files, found.same, found.kept)
