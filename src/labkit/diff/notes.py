"""Reads labs/notes.toml: for each pair that is worth comparing, why each change is there.

A note belongs to the change that has its key in one of the lines that differ, or that is in the
function or class its key names ("def load"). So it survives an edit of any other line; where its
own line is edited, the layout test says which note has lost its change.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.catalog import Catalog, CatalogError

if TYPE_CHECKING:
    from labkit.diff.comparison import Comparison, FileDiff, Hunk

FILE = Path("labs", "notes.toml")


@dataclass(frozen=True)
class Kept:
    """The notes of one pair, in the order in which they were written or turned round."""

    sides: tuple[str, str]
    notes: dict[str, dict[str, str]]  # file -> key -> why
    turned: bool = False

    def give(self, file: "FileDiff") -> "FileDiff":
        """The file with a note at each change that has one."""
        hunks = tuple(replace(h, note=" ".join(self.of(file, h).values())) for h in file.hunks)
        return replace(file, hunks=hunks)

    def of(self, file: "FileDiff", hunk: "Hunk") -> dict[str, str]:
        """The notes whose key is in a line that differs here or names the function, {key: note}."""
        texts = [line.text for line in hunk.changed]
        return {
            key: note
            for key, note in self.notes.get(file.key, {}).items()
            if key in hunk.blocks or any(key in text for text in texts)
        }


@dataclass(frozen=True)
class Notes:
    """All notes of one checkout."""

    catalog: Catalog

    @cached_property
    def _entries(self) -> list[dict[str, Any]]:
        path = self.catalog.root / FILE
        try:
            pairs: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["pair"]
        except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
            raise CatalogError(f"{path} cannot be read: {error}.") from None
        return pairs

    def of(self, old: str, new: str) -> Kept | None:
        """The notes of these two, whichever comes first; None where none are kept."""
        for entry in self._entries:
            one, two = entry["sides"]
            if fnmatchcase(old, one) and fnmatchcase(new, two):
                return Kept((old, new), entry["notes"])
            if fnmatchcase(old, two) and fnmatchcase(new, one):
                return Kept((new, old), entry["notes"], turned=True)
        return None

    def pairs(self) -> Iterator[tuple[str, str]]:
        """All pairs that notes are kept for. "10:*" stands for each variant of lab 10."""
        names = [lab.number for lab in self.catalog.labs]
        names += [f"{lab.number}:{name}" for lab in self.catalog.labs for name in lab.variants]
        seen: set[frozenset[str]] = set()
        for entry in self._entries:
            one, two = entry["sides"]
            for old in (name for name in names if fnmatchcase(name, one)):
                for new in (name for name in names if fnmatchcase(name, two)):
                    if old != new and frozenset((old, new)) not in seen:
                        seen.add(frozenset((old, new)))
                        yield old, new

    # For the layout

    def complaints(self) -> Iterator[str]:
        """Each change without a note, each note without a change, each pair without any notes."""
        from labkit.diff.comparison import compare
        from labkit.diff.inputs import side

        used: set[tuple[int, str, str]] = set()
        for old, new in self.pairs():
            found = compare(self.catalog, side(self.catalog, old), side(self.catalog, new))
            yield from self._of_pair(found, used)
        for entry in self._entries:
            for file, notes in entry["notes"].items():
                for key in notes:
                    if (id(entry), file, key) not in used:
                        pair = " ".join(entry["sides"])
                        yield f"{FILE}: {pair}, {file}: no change has {key!r} in it any more"
        kept = {frozenset(pair) for pair in self.pairs()}
        for one, two in self._expected():
            if frozenset((one, two)) not in kept:
                yield f"{FILE} has no notes for {one} {two}"

    def _of_pair(self, found: "Comparison", used: set[tuple[int, str, str]]) -> Iterator[str]:
        pair = f"{found.old.name} {found.new.name}"
        kept = self.of(found.old.name, found.new.name)
        entry = next(e for e in self._entries if kept and e["notes"] is kept.notes)
        holders: dict[tuple[str, str], int] = {}
        for file in found.files:
            for hunk in file.hunks:
                notes = kept.of(file, hunk) if kept else {}
                used |= {(id(entry), file.key, key) for key in notes}
                for key in notes:
                    holders[file.key, key] = holders.get((file.key, key), 0) + 1
                if not notes:
                    line = next((c.text for c in hunk.changed if c.text.strip()), "").strip()
                    yield (
                        f"{pair}: a change in {file.name} (lines {hunk.where(False) or 'none'} and "
                        f"{hunk.where(True) or 'none'}) has no note. Say why in {FILE}, under a "
                        f"text that is in one of its lines, such as {line!r}"
                    )
        for (name, key), times in holders.items():
            if times > 1:
                yield f"{FILE}: {pair}, {name}: {key!r} is in {times} changes; take a longer one"

    def _expected(self) -> Iterator[tuple[str, str]]:
        """The pairs that are compared in class: all twins, and all variants within a lab."""
        for twins in self.catalog.twins:
            yield twins.labs
        for lab in self.catalog.labs:
            names = [f"{lab.number}:{name}" for name in lab.variants]
            yield from ((a, b) for at, a in enumerate(names) for b in names[at + 1 :])
