"""Classes for the result of a comparison: the differing files, their changes and a summary."""

from dataclasses import dataclass
from itertools import groupby

from labkit.diff.inputs import File, Side
from labkit.diff.lines import Line, Row
from labkit.render.template_filters import visible
from labkit.text_format import quantity

NO_NOTE = "No note yet. Explain this change in labs/notes.toml."
NOTHING = "Nothing differs."
SAME_FILES = "Identical in both:"
ONLY_ENDINGS = "Only line endings or a byte order mark differ in:"
NOTHING_BUT_ENDINGS = "Only line endings or byte order marks differ."
ONLY_TESTS = "Only tests differ:"
NOT_COMPARED = "Not compared: the handout, README.md."
TESTS = "tests/"  # a lab's folder of tests


@dataclass(frozen=True)
class Hunk:
    """One change, explained by a note: differing lines in one function or close together."""

    rows: tuple[Row, ...]  # all rows from the first changed line to the last
    before: tuple[Row, ...]  # the unchanged lines since the previous hunk
    blocks: frozenset[str]  # the enclosing functions and classes, such as "def load"
    note: str = ""  # the explanation of the change; empty if there is none

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

    @property
    def location(self) -> str:
        """The line numbers of this change, in words."""
        old, new = self.line_range(new=False), self.line_range(new=True)
        if not new:
            return f"{_lines(old)}, gone"
        if not old:
            return f"{_lines(new)}, new"
        return _lines(old) if old == new else f"{_lines(old)}, now {new}"

    def runs(self) -> list[list[Row]]:
        """Return the rows as runs of only unchanged or only changed rows."""
        return [list(run) for _, run in groupby(self.rows, key=lambda row: row.same)]


def _lines(numbers: str) -> str:
    return f"lines {numbers}" if "-" in numbers else f"line {numbers}"


@dataclass(frozen=True)
class FileDiff:
    """One file that differs; `old` or `new` is None if that side has no such file."""

    old: File | None
    new: File | None
    hunks: tuple[Hunk, ...]
    after: tuple[Row, ...] = ()  # the unchanged lines at the end of the file
    remark: str = ""  # a remark on a difference that cannot be shown as lines

    @property
    def key(self) -> str:
        """The name by which labs/notes.toml refers to this file."""
        file = self.old or self.new
        return file.pairs_as if file else ""

    @property
    def name(self) -> str:
        """The file's path, or both paths if the two sides have different ones."""
        names = [file.name for file in (self.old, self.new) if file]
        return names[0] if len(set(names)) == 1 else " → ".join(names)


@dataclass(frozen=True)
class Part:
    """The code or the tests, file by file. Changes are numbered from 1 within each."""

    name: str  # "code" or "tests"
    files: tuple[FileDiff, ...]

    @property
    def hunks(self) -> list[Hunk]:
        """All changes, in reading order."""
        return [hunk for file in self.files for hunk in file.hunks]

    @property
    def summary(self) -> str:
        """The amount of change, such as "14 changes in 2 files"."""
        return f"{quantity(len(self.hunks), 'change')} in {quantity(len(self.files), 'file')}"


@dataclass(frozen=True)
class Comparison:
    """Two sides and all of their differences."""

    old: Side
    new: Side
    files: tuple[FileDiff, ...]
    same: tuple[str, ...]  # the files that do not differ
    has_notes: bool  # whether labs/notes.toml has notes for this pair
    endings: tuple[str, ...] = ()  # files that differ only in line endings or byte order mark

    @property
    def hunks(self) -> list[Hunk]:
        """All changes, in reading order."""
        return [hunk for file in self.files for hunk in file.hunks]

    @property
    def parts(self) -> list[Part]:
        """The differing code, then the differing tests; a part without files is left out."""
        tests = [file for file in self.files if self._is_test(file)]
        code = [file for file in self.files if file not in tests]
        found = Part("code", tuple(code)), Part("tests", tuple(tests))
        return [part for part in found if part.files]

    def _is_test(self, file: FileDiff) -> bool:
        # The reader chose the variant, so it counts as code even if it is in a test file.
        is_variant = self.old.rest or self.new.rest
        return not is_variant and file.key.startswith(TESTS)

    @property
    def counts(self) -> list[str]:
        """Sentences that count the differences in code and tests, and the identical files."""
        if not self.files:
            return [NOTHING if not self.endings else NOTHING_BUT_ENDINGS]
        titles = {"code": "", "tests": "Tests: " if self.parts[1:] else f"{ONLY_TESTS} "}
        counts = [f"{titles[part.name]}{part.summary}." for part in self.parts]
        return [*counts, f"Identical: {quantity(len(self.same), 'file')}."]

    @property
    def summary(self) -> str:
        """The sentences of `counts`, joined with spaces."""
        return " ".join(self.counts)

    @property
    def about(self) -> list[str]:
        """Sentences that explain the two sides, without repetition."""
        return list(dict.fromkeys(filter(None, (self.old.about, self.new.about))))

    @property
    def ending(self) -> list[str]:
        """Sentences about files and notes that are not shown."""
        sentences = []
        if self.endings:
            sentences.append(f"{ONLY_ENDINGS} {', '.join(self.endings)}.")
        if self.same:
            sentences.append(f"{SAME_FILES} {', '.join(self.same)}.")
        if self.old.lab and self.new.lab and not self.old.rest:
            sentences.append(NOT_COMPARED)
        if not self.has_notes and self.files and not any(hunk.note for hunk in self.hunks):
            sentences.append("There are no notes for this pair.")
        return sentences

    def note_text(self, hunk: Hunk) -> str:
        """Return the explanation of this change, or "" for a pair without notes."""
        return hunk.note or (NO_NOTE if self.has_notes else "")

    def remark(self, file: FileDiff) -> str:
        """Return a remark on the whole file, or ""."""
        side = self.new if file.old is None else self.old if file.new is None else None
        only = f"Only in {visible(side.name)}." if side else ""
        return " ".join(filter(None, (only, file.remark)))
