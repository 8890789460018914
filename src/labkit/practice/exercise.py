"""Exercises: read labs/exercises.toml, and find the exercise to which a folder belongs."""

import ast
import difflib
import hashlib
import json
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from labkit.catalog import PRACTICE, Catalog, CatalogError, Lab, read_lines
from labkit.textbook_versions import (
    FOLDER,
    NAME,
    Source,
    Step,
    Version,
    all_versions,
    check_keys,
    read_sources,
    read_value,
)

MANIFEST = Path("labs", "exercises.toml")
SOLUTIONS = Path("labs", "solutions")  # tests that solve exercises of the kind "test"
NOTICED = FOLDER / "noticed.json"  # {version: the tests that fail on it}
MY_TESTS = "tests/test_mine.py"  # the file that a student writes in an exercise of the kind "test"
NOT_WRITTEN = "raise NotImplementedError  # your code"
KINDS = {
    "repair": "Repair",
    "convert": "Convert",
    "build": "Build",
    "test": "Write the test",
}
# {kind: the keys that only this kind must have}
_OWN = {"repair": {"version"}, "convert": set(), "build": {"blank"}, "test": {"needed"}}
OLD_FOLDER = re.compile(r"(.+)\.old[0-9]*")  # the folders that start.set_aside() creates
_TEXTS = ("title", "goal", "before", "after", "counts", "explanation")
_ALL = {"kind", "lab", *_TEXTS, "hints", "sources"}
_OPTIONAL = {"as", "tests", "faults", "replace"}
UNKNOWN_EXERCISE = "There is no exercise {name}. `lab practice` lists them."
DID_YOU_MEAN = "There is no exercise {name}. Did you mean {close}? `lab practice` lists them all."


class ExerciseError(CatalogError):
    """labs/exercises.toml is malformed, or has no such exercise. The message gives details."""


@dataclass(frozen=True)
class Exercise:
    """An exercise. Its texts are Markdown without headings, links or images."""

    name: str
    kind: str  # a key of KINDS
    lab: Lab  # the lab with which the exercise starts
    target: Lab  # the lab against which the exercise is checked
    version: Version | None  # for the kind "repair": the textbook version with which it starts
    title: str  # the symptom, without the file or the solution
    goal: str
    before: str  # what to observe before the change
    after: str  # what to observe after the change
    counts: str  # what is needed to pass
    hints: tuple[str, str, str]  # three hints: the first is a nudge, and the last is the code
    explanation: str
    sources: tuple[Source, ...]
    tests: tuple[str, ...]  # node IDs of the target's tests that count in addition to its contract
    blank: tuple[str, ...] = ()  # for the kind "build": files in which functions have no body
    replaced: tuple[tuple[str, str], ...] = ()  # (file, the lab's file with which it is replaced)
    # For the kind "test": the versions that a student's tests should catch.
    faults: tuple[Version, ...] = ()
    needed: int = 0  # for the kind "test": how many versions must be caught

    @property
    def number(self) -> str:
        """The number that a started exercise has as a copy; it is part of its cookies' names."""
        return f"{PRACTICE}-{self.name}"

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that show the symptom before a repair; empty for other kinds of exercise.

        The names of cookies are those in a started exercise.
        """
        steps = self.version.see if self.version else ()
        return tuple(step.renamed(f"_{self.lab.number}", f"_{self.number}") for step in steps)

    def changed_files(self) -> dict[str, bytes]:
        """Return the starter's files that differ from the lab's, {path in the lab: content}.

        Raises VersionError if an edit does not match, and OSError if a file cannot be read.
        """
        found = dict(self.version.edited_files()) if self.version else {}
        for path in self.blank:
            text = read_lines(self.lab.folder / path)
            found[path] = without_bodies(text).encode()
        for path, other in self.replaced:
            found[path] = (self.lab.folder / other).read_bytes()
        return found

    @cached_property
    def fingerprint(self) -> str:
        """A short text that changes with the starter's code, or with what the check tests.

        Comments and docstrings are ignored, and so are templates that the starter does not change,
        because their wording may be improved while a student works.
        """
        changed = self.changed_files()
        parts = [self.kind, self.target.number, self.target.contract or "", self.needed]
        parts += self.tests
        folders = {self.lab.folder, self.target.folder}
        for path in sorted(path for folder in folders for path in folder.glob("lab/**/*.py")):
            parts.append(_code(read_lines(path)))
        for file, content in sorted(changed.items()):
            parts += [file, _code(content.decode("utf-8-sig", "replace").replace("\r\n", "\n"))]
        for version in self.faults:
            parts += [version.name, *(edit.new for edit in version.edits)]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def read_exercises(checkout: Catalog) -> tuple[Exercise, ...]:
    """Return all exercises in teaching order, or () if there is no labs/exercises.toml.

    Raises ExerciseError, which names the file and the exercise, if an entry is malformed.
    """
    path = checkout.root / MANIFEST
    try:
        data = tomllib.loads(read_lines(path))
        noticed = json.loads(read_lines(checkout.root / NOTICED) or "{}")
    except ValueError as error:
        raise ExerciseError(f"{path} or {NOTICED.name} cannot be read: {error}.") from None
    versions = {version.full_name: version for version in all_versions(checkout)}
    found = []
    for name, table in data.items():
        try:
            found.append(_exercise(checkout, name, table, versions, noticed))
        except (CatalogError, ValueError, TypeError) as error:
            raise ExerciseError(f"{path}, {name}: {str(error).rstrip('.')}.") from None
    return tuple(found)


def find_exercise(checkout: Catalog, name: str) -> Exercise:
    """Return the exercise with this name. Raises ExerciseError if there is none."""
    exercises = {exercise.name: exercise for exercise in read_exercises(checkout)}
    if name in exercises:
        return exercises[name]
    if close := find_close(name, exercises):
        raise ExerciseError(DID_YOU_MEAN.format(name=name, close=close))
    raise ExerciseError(UNKNOWN_EXERCISE.format(name=name))


def find_close(name: str, names: Iterable[str]) -> str:
    """Return the name that is most similar to a mistyped one, or "" if none is similar."""
    return next(iter(difflib.get_close_matches(name, names, n=1)), "")


def practice_folders(checkout: Catalog) -> tuple[Path, Path]:
    """Return the folders that can contain exercises: in the checkout, and in its state folder."""
    return (checkout.root / PRACTICE).absolute(), (checkout.state / PRACTICE).absolute()


def exercise_of(checkout: Catalog, folder: Path) -> Exercise | None:
    """Return the exercise that was started in this folder or a parent of it, or None."""
    if path := _own_folder(checkout, folder):
        names = {exercise.name: exercise for exercise in read_exercises(checkout)}
        return names.get(path.name)
    return None


def old_exercise_of(checkout: Catalog, folder: Path) -> str:
    """Return the exercise whose old files are in this folder or a parent of it, or ""."""
    path = _own_folder(checkout, folder)
    found = OLD_FOLDER.fullmatch(path.name) if path else None
    return found[1] if found else ""


def _own_folder(checkout: Catalog, folder: Path) -> Path | None:
    """Return this folder, or the parent of it, that is directly in a practice folder, or None."""
    roots = {root.resolve() for root in practice_folders(checkout)}
    folder = folder.absolute().resolve()
    return next((path for path in (folder, *folder.parents) if path.parent in roots), None)


def without_bodies(source: str) -> str:
    """Return a module in which each function has only its docstring and `raise`."""
    lines = source.split("\n")
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    for node in reversed(functions):
        first, *_ = node.body
        docstring = ast.get_docstring(node) is not None
        start = first.end_lineno if docstring else first.lineno - 1
        lines[start : node.end_lineno] = [f"    {NOT_WRITTEN}"]
    return "\n".join(lines)


# The following functions read one exercise. read_exercises() adds the file and the exercise to
# their error messages.


def _exercise(
    checkout: Catalog,
    name: str,
    table: Any,
    versions: dict[str, Version],
    noticed: dict[str, list[str]],
) -> Exercise:
    if not NAME.fullmatch(name):
        raise ValueError("a name has small letters, digits and single hyphens")
    kind = table.get("kind") if isinstance(table, dict) else None
    if kind not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}")
    needed = _ALL | _OWN[kind]
    check_keys(table, f"the kind {kind}", needed | _OPTIONAL, needed)
    lab = checkout.find(read_value(table, "lab", str))
    target = checkout.find(table.get("as", lab.number))
    version = None
    if kind == "repair":
        version = versions.get(f"{lab.number}:{read_value(table, 'version', str)}")
        if version is None or not version.starts:
            raise ValueError(f"lab {lab.number} has no version {table['version']} that starts")
    tests = table.get("tests", noticed.get(version.full_name, []) if version else [])
    hints = tuple(hint.strip("\n") for hint in table["hints"])
    if len(hints) != 3 or not all(hints):
        raise ValueError("it needs three hints")
    return Exercise(
        name,
        kind,
        lab,
        target,
        version,
        **{key: read_value(table, key, str).strip("\n") for key in _TEXTS},
        hints=hints,
        sources=read_sources(table["sources"]),
        tests=tuple(tests),
        blank=tuple(table.get("blank", ())),
        replaced=tuple(table.get("replace", {}).items()),
        faults=_faults(lab, table, versions) if kind == "test" else (),
        needed=table.get("needed", 0),
    )


def _faults(lab: Lab, table: dict[str, Any], versions: dict[str, Version]) -> tuple[Version, ...]:
    """Return the versions that tests should catch: those in `faults`, by default all that start."""
    known = {v.name: v for v in versions.values() if v.lab == lab and v.starts}
    names = table.get("faults", list(known))
    if unknown := set(names) - set(known):
        raise ValueError(f"lab {lab.number} has no version {', '.join(sorted(unknown))}")
    if not 1 <= table["needed"] <= len(names):
        raise ValueError(f"needed is a number from 1 to {len(names)}")
    return tuple(known[name] for name in names)


def _code(text: str) -> str:
    """Return code without comments, docstrings and empty lines."""
    text = re.sub(r'"""(.*?)"""', "", text, flags=re.DOTALL)
    lines = [re.sub(r"(^|\s)#.*", "", line).rstrip() for line in text.split("\n")]
    return "\n".join(line for line in lines if line)
