"""Create the folder of an exercise: the starter, with the brief as its handout."""

import os
import shutil
import tempfile
from pathlib import Path

from labkit.catalog import Catalog, CatalogError, Lab, writable
from labkit.practice.copies import LEFT_BEHIND, copy_tree
from labkit.practice.exercise import (
    MY_TESTS,
    Exercise,
    exercise_of,
    find_exercise,
    old_exercise_of,
    practice_folders,
)
from labkit.text_format import command_line
from labkit.textbook_versions import steps_in_markdown

EXISTS = "{folder} already exists. To start again: {line}"
NAME_ONE = "Name an exercise, or change into its folder. `lab practice` lists them."
OLD_FILES = "This folder has your old files of {name}. Change into the new folder: {line}"
NOT_STARTED = "You have not started {name}. Start it: {line}"
BRIEF = """\
## Goal

{goal}

## Before

{before}{steps}

## After

{after}

## What counts

{counts}
"""
README = """\
# {number} Exercise: {title}

{brief}
## Commands

    lab run .            run it
    lab check            check it
    lab check --watch    check it after each save
    lab hint             the next hint
    lab solution         the solution, with notes
{loop}
While you run the exercise, the names of its cookies end in `_{own_number}`.
"""
LOOP = """\
    pytest               run your tests on the lab only, which is quick
"""
TESTS = '''\
"""Write your tests here: functions whose names begin with test_.

Arguments that a test can ask for (docs/testing.md says more):
    visitor     a client with a browser's cookie rules: get(), post(), submit(), jar
    classmate   another one
    clock       clock.forward(seconds=60) moves the time of server and browsers
"""


def test_the_start_page_opens(visitor):
    response = visitor.get("/")
    assert response.status_code == 200
'''


def folder_of(checkout: Catalog, exercise: Exercise) -> Path:
    """Return the folder of an exercise, whether or not it exists.

    This is practice/NAME in the checkout, or in the state folder if the checkout is not writable.
    Raises CatalogError if neither is writable.
    """
    inside, outside = (folder / exercise.name for folder in practice_folders(checkout))
    if inside.is_dir() or outside.is_dir():
        return inside if inside.is_dir() else outside
    try:
        inside.parent.mkdir(exist_ok=True)
    except OSError:
        return writable(outside.parent) / exercise.name
    return inside


def choose_exercise(checkout: Catalog, name: str | None) -> Exercise:
    """Return the exercise with this name or, without a name, the one in the current folder.

    Raises CatalogError if there is no such exercise.
    """
    if name is not None:
        # `name` may be a path, because the shell completes the folder's name.
        return exercise_of(checkout, Path(name)) or find_exercise(checkout, name)
    refuse_old_folder(checkout)
    found = exercise_of(checkout, Path.cwd())
    if found is None:
        raise CatalogError(NAME_ONE)
    return found


def refuse_old_folder(checkout: Catalog) -> None:
    """Raise CatalogError if the current folder contains the old files of an exercise."""
    if name := old_exercise_of(checkout, Path.cwd()):
        inside, outside = (folder / name for folder in practice_folders(checkout))
        line = command_line("cd", str(inside if inside.is_dir() else outside))
        raise CatalogError(OLD_FILES.format(name=name, line=line))


def started_folder(checkout: Catalog, exercise: Exercise) -> Path:
    """Return the folder of a started exercise. Raises CatalogError if it was not started."""
    folder = folder_of(checkout, exercise)
    if not folder.is_dir():
        line = command_line("lab", "practice", "start", exercise.name)
        raise CatalogError(NOT_STARTED.format(name=exercise.name, line=line))
    return folder


def start(checkout: Catalog, exercise: Exercise) -> Lab:
    """Create the folder of an exercise, and return the copy in it.

    Raises CatalogError if the folder exists or cannot be written.
    """
    folder = folder_of(checkout, exercise)
    if folder.exists():
        line = command_line("lab", "practice", "reset", exercise.name)
        raise CatalogError(EXISTS.format(folder=folder, line=line))
    write_starter(exercise, folder)
    return checkout.copy_in(folder)


def write_starter(exercise: Exercise, folder: Path) -> None:
    """Write an exercise's starter to a new folder. Raises CatalogError and OSError."""
    changed = exercise.changed_files()
    try:
        copy_tree(exercise.lab.folder, folder)
        for name, content in changed.items():
            (folder / name).write_bytes(content)
        (folder / "README.md").write_text(handout(exercise), encoding="utf-8")
        if exercise.kind == "test":
            # The lab's tests are left out, since they would be the solution.
            shutil.rmtree(folder / "tests")
            (folder / "tests").mkdir()
            (folder / MY_TESTS).write_text(TESTS, encoding="utf-8")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def changed_files(exercise: Exercise, folder: Path) -> list[str]:
    """Return the files in an exercise's folder that differ from its starter, sorted by path."""
    with tempfile.TemporaryDirectory(prefix="labkit-") as temporary:
        starter = Path(temporary, exercise.name)
        write_starter(exercise, starter)
        before, after = _contents(starter), _contents(folder)
    names = sorted(before.keys() | after.keys())
    return [name for name in names if before.get(name) != after.get(name)]


def _contents(folder: Path) -> dict[str, bytes]:
    """Return {path: content} of the files in a folder, without the handout and Python's caches."""
    found: dict[str, bytes] = {}
    for root, folders, names in os.walk(folder):
        left_behind = LEFT_BEHIND(root, [*folders, *names])
        folders[:] = [name for name in folders if name not in left_behind]
        paths = [Path(root, name) for name in names if name not in left_behind]
        found |= {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    found.pop("README.md", None)
    return found


def old_folder(folder: Path) -> Path:
    """Return the new path of a folder that is set aside: NAME.old, or the first free NAME.old2 …"""
    number = 1
    while (old := folder.with_name(f"{folder.name}.old{number if number > 1 else ''}")).exists():
        number += 1
    return old


def set_aside(folder: Path) -> Path:
    """Rename a folder to the path that `old_folder` returns, and return this path."""
    return folder.rename(old_folder(folder))


def brief(exercise: Exercise) -> str:
    """Return the brief as Markdown: the goal, what to observe before and after, and what counts."""
    steps = steps_in_markdown(exercise.steps)
    return BRIEF.format(
        goal=exercise.goal,
        before=exercise.before,
        steps=f"\n\n{steps}" if steps else "",
        after=exercise.after,
        counts=exercise.counts,
    )


def handout(exercise: Exercise) -> str:
    """Return the text of the folder's README.md, which the lab's pages show as its handout."""
    return README.format(
        number=exercise.lab.number,
        title=exercise.title,
        brief=brief(exercise),
        loop=LOOP if exercise.kind == "test" else "",
        own_number=exercise.number,
    )
