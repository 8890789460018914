"""Compare a student's files with an exercise's solution."""

from dataclasses import replace
from pathlib import Path

from labkit.catalog import Catalog, read_lines
from labkit.diff import Comparison, FileDiff, Hunk, Side, compare, find_sides
from labkit.diff.data_classes import TESTS
from labkit.diff.inputs import File
from labkit.practice.exercise import MY_TESTS, SOLUTIONS, Exercise

YOURS, STARTER, SOLUTION = "yours", "starter", "solution"


def read_tests(checkout: Catalog, exercise: Exercise) -> str:
    """Return the tests that solve an exercise of the kind "test", or "" for other kinds."""
    return read_lines(checkout.root / SOLUTIONS / f"{exercise.name}.py")


def compare_with_solution(checkout: Catalog, exercise: Exercise, folder: Path) -> Comparison:
    """Return the differences between an exercise's folder and its solution, with notes.

    The solution is the lab, or a file of tests in labs/solutions. Raises CatalogError and OSError.
    """
    if exercise.kind == "test":
        solution = checkout.root / SOLUTIONS / f"{exercise.name}.py"
        old = _tests(YOURS, folder / MY_TESTS)
        return compare(checkout, old, _tests(SOLUTION, solution))
    mine, target = find_sides(checkout, str(folder), exercise.target.number)
    found = compare(checkout, replace(mine, name=YOURS, title=exercise.title), target)
    # Notes exist only for labs and textbook versions, so they are taken from the one with which the
    # exercise started.
    start = exercise.version.full_name if exercise.version else exercise.lab.number
    known = compare(checkout, *find_sides(checkout, start, exercise.target.number))
    code = (file for file in found.files if not file.key.startswith(TESTS))
    files = tuple(_with_fitting_notes(file, known) for file in code)
    # With has_notes=False, a change that the student made needs no note.
    return replace(found, files=files, has_notes=False)


def compare_starter(checkout: Catalog, exercise: Exercise) -> Comparison:
    """Return the differences between an exercise's starter and its solution, with notes.

    Raises CatalogError, and OSError if a file cannot be read.
    """
    if exercise.kind == "test":
        solution = checkout.root / SOLUTIONS / f"{exercise.name}.py"
        return compare(checkout, Side(STARTER, MY_TESTS, ()), _tests(SOLUTION, solution))
    start = exercise.version.full_name if exercise.version else exercise.lab.number
    old, target = find_sides(checkout, start, exercise.target.number)
    if not exercise.version:
        changed = exercise.changed_files()
        files = (replace(file, content=changed.get(file.name, file.content)) for file in old.files)
        old = replace(old, files=tuple(files))
    found = compare(checkout, old, target)
    return replace(found, old=replace(old, name=STARTER, title=exercise.title))


def _tests(name: str, path: Path) -> Side:
    content = path.read_bytes() if path.is_file() else b""
    return Side(name, MY_TESTS, (File(MY_TESTS, content, MY_TESTS),))


def _with_fitting_notes(file: FileDiff, known: Comparison) -> FileDiff:
    """Return the file, with each note whose change is also among the file's own changes."""
    noted = [h for other in known.files if other.key == file.key for h in other.hunks if h.note]
    hunks = []
    for hunk in file.hunks:
        notes = dict.fromkeys(other.note for other in noted if _fits(other, hunk))
        hunks.append(replace(hunk, note=" ".join(notes)))
    return replace(file, hunks=tuple(hunks))


def _fits(noted: Hunk, hunk: Hunk) -> bool:
    """Return whether both changes add the same line of the lab, or remove one if none is added."""
    removed, added = _only_on(noted, new=False), _only_on(noted, new=True)
    if added:
        return bool(added & _only_on(hunk, new=True))
    return bool(removed & _only_on(hunk, new=False))


def _only_on(hunk: Hunk, new: bool) -> set[str]:
    """Return the changed lines that only one side has. A line that was moved is on both sides."""
    sides: tuple[set[str], set[str]] = (set(), set())
    for row in hunk.rows:
        for lines, line in zip(sides, (row.old, row.new), strict=True):
            if line and not row.same:
                lines.add(line.text.strip())
    return sides[new] - sides[not new] - {""}
