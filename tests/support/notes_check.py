"""Check labs/notes.toml: every change has a note, and every note belongs to a change."""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations

from labkit.catalog import Catalog
from labkit.diff.comparison import compare
from labkit.diff.data_classes import Comparison
from labkit.diff.inputs import find_side
from labkit.diff.notes import FILE, Notes

NoteKey = tuple[int, str, str]  # (ID of the entry, file, key of the note)


def note_complaints(catalog: Catalog) -> Iterator[str]:
    """Yield a sentence for each change without a note, unused note and pair without notes."""
    notes = Notes(catalog)
    used: set[NoteKey] = set()
    for old, new in notes.pairs():
        found = compare(catalog, find_side(catalog, old), find_side(catalog, new))
        yield from _pair_complaints(notes, found, used)
    for entry in notes.entries:
        for file, texts in entry["notes"].items():
            for key in texts:
                if (id(entry), file, key) not in used:
                    pair = " ".join(entry["sides"])
                    yield f"{FILE}: {pair}, {file}: no change has {key!r} in it any more"
    noted = {frozenset(pair) for pair in notes.pairs()}
    for one, two in _expected_pairs(catalog):
        if frozenset((one, two)) not in noted:
            yield f"{FILE} has no notes for {one} {two}"


def _pair_complaints(notes: Notes, found: Comparison, used: set[NoteKey]) -> Iterator[str]:
    pair = f"{found.old.name} {found.new.name}"
    of_pair = notes.of_pair(found.old.name, found.new.name)
    assert of_pair is not None
    entry = next(entry for entry in notes.entries if entry["notes"] is of_pair.notes)
    holders: Counter[tuple[str, str]] = Counter()
    for file in found.files:
        for hunk in file.hunks:
            of_hunk = of_pair.of_hunk(file, hunk)
            used |= {(id(entry), file.key, key) for key in of_hunk}
            holders.update((file.key, key) for key in of_hunk)
            if not of_hunk:
                line = next((c.text for c in hunk.changed if c.text.strip()), "").strip()
                old, new = (hunk.line_range(side) or "none" for side in (False, True))
                yield (
                    f"{pair}: a change in {file.name} (lines {old} and {new}) has no note. Say why "
                    f"in {FILE}, under a text that is in one of its lines, such as {line!r}"
                )
    for (name, key), times in holders.items():
        if times > 1:
            yield f"{FILE}: {pair}, {name}: {key!r} is in {times} changes; take a longer one"


def _expected_pairs(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Yield the pairs compared in class: all twins, and all variants within a lab."""
    for twins in catalog.twins:
        yield twins.labs
    for lab in catalog.labs:
        names = [f"{lab.number}:{name}" for name in lab.variants]
        yield from combinations(names, 2)
