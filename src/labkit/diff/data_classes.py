"""The result of a comparison: the files that differ, change by change."""

from dataclasses import dataclass

from labkit.diff.inputs import File, Side
from labkit.diff.lines import Line, Row


@dataclass(frozen=True)
class Hunk:
    """One change, which a note explains: changed lines in one function, or close together."""

    rows: tuple[Row, ...]  # from the first line that differs to the last
    before: tuple[Row, ...]  # the unchanged lines since the previous hunk
    blocks: frozenset[str]  # the functions and classes around it, as "def load"
    note: str = ""  # why it differs; empty without a note

    @property
    def changed(self) -> list[Line]:
        """The lines of both sides that differ."""
        found = [line for row in self.rows if not row.same for line in (row.old, row.new)]
        return [line for line in found if line]

    def line_range(self, new: bool) -> str:
        """Return the line numbers on one side, "12" or "12-15", or "" if that side has none."""
        found = [line.number for row in self.rows if (line := row.new if new else row.old)]
        if not found:
            return ""
        return f"{found[0]}-{found[-1]}" if found[0] != found[-1] else str(found[0])


@dataclass(frozen=True)
class FileDiff:
    """One file that differs; `old` or `new` is None if that side has no such file."""

    old: File | None
    new: File | None
    hunks: tuple[Hunk, ...]
    after: tuple[Row, ...] = ()  # the unchanged lines after the last hunk
    remark: str = ""  # a difference that lines cannot show

    @property
    def key(self) -> str:
        """The name of this file in labs/notes.toml."""
        file = self.old or self.new
        return file.pairs_as if file else ""

    @property
    def name(self) -> str:
        """The file's path, or both paths if they differ."""
        names = [file.name for file in (self.old, self.new) if file]
        return names[0] if len(set(names)) == 1 else " → ".join(names)


@dataclass(frozen=True)
class Comparison:
    """Two sides and everything that differs."""

    old: Side
    new: Side
    files: tuple[FileDiff, ...]
    same: tuple[str, ...]  # the files that do not differ
    has_notes: bool  # whether labs/notes.toml has notes for these two

    @property
    def hunks(self) -> list[Hunk]:
        """All changes, in reading order."""
        return [hunk for file in self.files for hunk in file.hunks]
