"""Compare the two sides of a comparison, file by file in reading order."""

from dataclasses import replace

from labkit.catalog import Catalog, CatalogError
from labkit.diff import lines
from labkit.diff.data_classes import Comparison, FileDiff, Hunk
from labkit.diff.inputs import File, Side, find_side, reading_order
from labkit.diff.lines import Row
from labkit.diff.notes import Notes
from labkit.text_format import command_line
from labkit.textbook_versions import Version

CLOSE = 2  # changes separated by fewer unchanged lines count as one change
# Remarks on a file whose differences cannot be shown as lines
NO_TEXT = "It is not a text file, or is too large to show."
EMPTY = "It is empty."
NO_TWIN = "{name} has no twin. Name a second lab to compare it with."
NO_TWIN_BUT_VARIANTS = (
    "{name} has no twin. The variants of lab {number} are {variants}. To compare two of them: "
    "{line}"
)
ENDINGS_TOO = "Its line endings or byte order mark differ as well."
ONLY_BYTES = "Its bytes differ, but its lines do not. Use another tool to compare it."


def find_sides(checkout: Catalog, one: str, two: str = "") -> tuple[Side, Side]:
    """Return the two sides with these names; by default the second is the first's twin or original.

    Raises CatalogError if a name is unknown, or if the first lab has neither twin nor original.
    """
    first = find_side(checkout, one)
    if two:
        return first, find_side(checkout, two)
    if first.version and first.lab:
        return first, find_side(checkout, first.lab.number)
    other = first.lab and (first.lab.twin or first.lab.original)
    if not other:
        raise CatalogError(_no_twin(first))
    second = find_side(checkout, other)
    # A copy comes after its original.
    return (first, second) if first.lab in checkout.labs else (second, first)


def _no_twin(side: Side) -> str:
    """Return a sentence that names what this side can be compared with."""
    if not (side.lab and side.lab.variants):
        return NO_TWIN.format(name=side.name)
    number = side.lab.number
    names = [f"{number}:{name}" for name in side.lab.variants]
    part = side.name.partition(":")[2]
    pair = [side.name, *(n for n in names if n != side.name)] if part else names
    return NO_TWIN_BUT_VARIANTS.format(
        name=side.name,
        number=number,
        variants=", ".join(names),
        line=command_line("lab", "diff", *pair[:2]),
    )


def compare(checkout: Catalog, old: Side, new: Side) -> Comparison:
    """Return all differences between the two sides, with the notes on them. Raises CatalogError.

    Notes are written for one order of the two sides. A comparison in the other order is computed as
    a mirror image, so that its changes are the same.
    """
    notes = Notes(checkout).of_pair(old.name, new.name)
    swapped = notes is not None and notes.swapped
    found = _compare(new, old) if swapped else _compare(old, new)
    if notes:
        files = tuple(notes.add_to(file) for file in found.files)
        found = replace(found, files=files, has_notes=True)
    found = _swap(found) if swapped else found
    version = old.version or new.version
    one_lab = old.lab and new.lab and old.lab.number == new.lab.number
    return _add_reason(found, version) if version and one_lab else found


def _add_reason(found: Comparison, version: Version) -> Comparison:
    """Return the comparison with the textbook version's explanation as the first note."""
    files = list(found.files)
    for number, file in enumerate(files):
        if file.hunks:
            hunks = (replace(file.hunks[0], note=version.why), *file.hunks[1:])
            files[number] = replace(file, hunks=hunks)
            break
    return replace(found, files=tuple(files))


def _compare(old: Side, new: Side) -> Comparison:
    before = {file.pairs_as: file for file in old.files}
    after = {file.pairs_as: file for file in new.files}
    files, same, endings = [], [], []
    for key in sorted(before.keys() | after.keys(), key=reading_order):
        one, two = before.get(key), after.get(key)
        if not (one and two):
            files.append(diff(one, two))
        elif one.content == two.content:
            same.append(one.name)
        elif one.plain().content == two.plain().content:
            endings.append(one.name)
        else:
            file = diff(one.plain(), two.plain())
            one_sided = (one.plain() == one) != (two.plain() == two)
            files.append(replace(file, remark=ENDINGS_TOO) if one_sided else file)
    unchanged = sorted({*same, *old.rest}, key=reading_order)
    return Comparison(old, new, tuple(files), tuple(unchanged), False, tuple(endings))


def diff(old: File | None, new: File | None) -> FileDiff:
    """Return the differences between two versions of a file; None stands for a missing file."""
    one, two = (file.text() if file else "" for file in (old, new))
    if one is None or two is None:
        return FileDiff(old, new, (), remark=NO_TEXT)
    a, b = lines.split(one), lines.split(two)
    each = bool(old and old.each_line)
    python = not each and any(file.name.endswith(".py") for file in (old, new) if file)
    runs = lines.listed(a, b) if each else lines.rows(a, b, python)
    found = [row for run in runs for row in run]
    hunks, after = _hunks(
        found, [lines.enclosing_blocks(x) if python else {} for x in (a, b)], each
    )
    remark = "" if hunks else ONLY_BYTES if old and new else EMPTY
    return FileDiff(old, new, tuple(hunks), tuple(after), remark)


def _hunks(
    rows: list[Row], blocks: list[dict[int, str]], each: bool
) -> tuple[list[Hunk], list[Row]]:
    """Return the changes, and the unchanged rows after the last change.

    `blocks` maps line numbers to the enclosing function, for each side.
    """
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
        # Differing lines in one function count as one change, as do those close together elsewhere.
        close = not gap or (not places and len(gap) < CLOSE)
        if last and (close or last.blocks & places):
            together = last.blocks | places
            hunks[-1] = replace(last, rows=(*last.rows, *gap, row), blocks=together)
        else:
            hunks.append(Hunk((row,), tuple(gap), frozenset(places)))
        gap = []
    return hunks, gap


def _swap(found: Comparison) -> Comparison:
    """Return the comparison with its sides exchanged."""

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
    return replace(found, old=found.new, new=found.old, files=files)
