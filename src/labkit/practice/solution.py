"""Compare a student's files with the solution of an exercise."""

from dataclasses import replace
from pathlib import Path

from labkit.catalog import Catalog
from labkit.diff import Comparison, Side, compare, find_sides
from labkit.diff.inputs import File
from labkit.practice.exercise import MY_TESTS, SOLUTIONS, Exercise

YOURS, SOLUTION = "yours", "solution"


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


def _tests(name: str, path: Path) -> Side:
    content = path.read_bytes() if path.is_file() else b""
    return Side(name, MY_TESTS, (File(MY_TESTS, content, MY_TESTS),))
