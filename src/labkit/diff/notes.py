"""Read labs/notes.toml, which explains each change between compared labs.

The key of a note is text from a changed line, or the name of a function or class ("def load") that
contains the change. A note therefore still applies when other lines are edited. If the line with
the key is edited, the layout test reports the note.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

from labkit.catalog import Catalog, CatalogError
from labkit.diff.data_classes import FileDiff, Hunk

FILE = Path("labs", "notes.toml")


@dataclass(frozen=True)
class PairNotes:
    """The notes for one pair."""

    notes: dict[str, dict[str, str]]  # file -> key -> why
    swapped: bool = False  # whether the pair was requested in the opposite order of the notes

    def add_to(self, file: FileDiff) -> FileDiff:
        """Return the file with notes added to its changes."""
        hunks = tuple(replace(h, note=" ".join(self.of_hunk(file, h).values())) for h in file.hunks)
        return replace(file, hunks=hunks)

    def of_hunk(self, file: FileDiff, hunk: Hunk) -> dict[str, str]:
        """Return the notes of a change, {key: note}."""
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
    def entries(self) -> list[dict[str, Any]]:
        """The file's entries, each with `sides` and `notes`. Raises CatalogError."""
        path = self.catalog.root / FILE
        try:
            pairs: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["pair"]
        except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
            raise CatalogError(f"{path} cannot be read: {error}.") from None
        return pairs

    def of_pair(self, old: str, new: str) -> PairNotes | None:
        """Return the notes for this pair, in either order, or None if the pair has no notes."""
        for entry in self.entries:
            one, two = entry["sides"]
            if fnmatchcase(old, one) and fnmatchcase(new, two):
                return PairNotes(entry["notes"])
            if fnmatchcase(old, two) and fnmatchcase(new, one):
                return PairNotes(entry["notes"], swapped=True)
        return None

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield all pairs that have notes; "10:*" stands for each variant of lab 10."""
        names = [lab.number for lab in self.catalog.labs]
        names += [f"{lab.number}:{name}" for lab in self.catalog.labs for name in lab.variants]
        seen: set[frozenset[str]] = set()
        for entry in self.entries:
            one, two = entry["sides"]
            for old in (name for name in names if fnmatchcase(name, one)):
                for new in (name for name in names if fnmatchcase(name, two)):
                    if old != new and frozenset((old, new)) not in seen:
                        seen.add(frozenset((old, new)))
                        yield old, new
