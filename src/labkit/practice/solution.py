"""Compare a student's files with the solution of an exercise."""

from dataclasses import replace
from pathlib import Path

from labkit.catalog import Catalog, read_lines
from labkit.diff import Comparison, Side, compare, find_sides
from labkit.diff.inputs import File
from labkit.practice.exercise import MY_TESTS, SOLUTIONS, Exercise

YOURS, STARTER, SOLUTION = "yours", "starter", "solution"


def read_tests(checkout: Catalog, exercise: Exercise) -> str:
    """Return the tests that solve an exercise of the kind "test", "" for another kind."""
    return read_lines(checkout.root / SOLUTIONS / f"{exercise.name}.py")


def compare_with_solution(checkout: Catalog, exercise: Exercise, folder: Path) -> Comparison:
    """Return what differs between an exercise's folder and its solution, with notes.

    The solution is the lab, or a file of tests in labs/solutions. Raises CatalogError and OSError.
    """
    if exercise.kind == "test":
        solution = checkout.root / SOLUTIONS / f"{exercise.name}.py"
        old = _tests(YOURS, folder / MY_TESTS)
        return compare(checkout, old, _tests(SOLUTION, solution))
    mine, target = find_sides(checkout, str(folder), exercise.target.number)
    shown = replace(mine, name=YOURS, title=exercise.title)
    # Notes are kept for labs and versions, so it is compared as the one that it started from.
    start = exercise.version.full_name if exercise.version else exercise.lab.number
    old = replace(mine, name=start, lab=exercise.lab, version=exercise.version)
    return replace(compare(checkout, old, target), old=shown)


def compare_starter(checkout: Catalog, exercise: Exercise) -> Comparison:
    """Return what differs between an exercise's starter and its solution, with notes.

    Raises CatalogError and OSError.
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
