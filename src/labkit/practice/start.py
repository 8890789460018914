"""Make the folder of an exercise: the starter, with its brief as the handout."""

import shutil
from pathlib import Path

from labkit.catalog import Catalog, CatalogError, Lab, writable
from labkit.practice.copies import copy_tree
from labkit.practice.exercise import (
    MY_TESTS,
    Exercise,
    exercise_of,
    find_exercise,
    practice_folders,
)
from labkit.text_format import command_line
from labkit.textbook_versions import steps_in_markdown

EXISTS = "{folder} is there already. To start again: {line}"
NAME_ONE = "Name an exercise, or change into its folder. `lab practice` lists them."
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

    lab run .         run it
    lab check         check it
    lab hint          the next hint
    lab solution      the solution, with notes
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
    """Return the folder of an exercise, whether it is there or not.

    It is practice/NAME in the checkout, or in the state folder if the checkout cannot be written.
    Raises CatalogError if neither can be written.
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
    """Return the exercise of this name, or else the one whose folder the user is in.

    Raises CatalogError if there is none.
    """
    if name is not None:
        # The shell completes the folder's name.
        return exercise_of(checkout, Path(name)) or find_exercise(checkout, name)
    found = exercise_of(checkout, Path.cwd())
    if found is None:
        raise CatalogError(NAME_ONE)
    return found


def started_folder(checkout: Catalog, exercise: Exercise) -> Path:
    """Return the folder of an exercise that was started. Raises CatalogError if it was not."""
    folder = folder_of(checkout, exercise)
    if not folder.is_dir():
        line = command_line("lab", "practice", "start", exercise.name)
        raise CatalogError(NOT_STARTED.format(name=exercise.name, line=line))
    return folder


def start(checkout: Catalog, exercise: Exercise) -> Lab:
    """Make the folder of an exercise and return the copy in it.

    Raises CatalogError if it is there already, or cannot be written.
    """
    folder = folder_of(checkout, exercise)
    if folder.exists():
        line = command_line("lab", "practice", "reset", exercise.name)
        raise CatalogError(EXISTS.format(folder=folder, line=line))
    write_starter(exercise, folder)
    return checkout.copy_in(folder)


def write_starter(exercise: Exercise, folder: Path) -> None:
    """Write what a student begins with into a new folder. Raises CatalogError and OSError."""
    changed = exercise.changed_files()
    try:
        copy_tree(exercise.lab.folder, folder)
        for name, content in changed.items():
            (folder / name).write_bytes(content)
        (folder / "README.md").write_text(handout(exercise), encoding="utf-8")
        if exercise.kind == "test":
            # The lab's tests would be the solution.
            shutil.rmtree(folder / "tests")
            (folder / "tests").mkdir()
            (folder / MY_TESTS).write_text(TESTS, encoding="utf-8")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def set_aside(folder: Path) -> Path:
    """Rename a folder to NAME.old, or NAME.old2 and so on, and return its new path."""
    number = 1
    while (old := folder.with_name(f"{folder.name}.old{number if number > 1 else ''}")).exists():
        number += 1
    return folder.rename(old)


def brief(exercise: Exercise) -> str:
    """Return the brief in Markdown: goal, what to observe before and after, what counts."""
    steps = steps_in_markdown(exercise.steps)
    return BRIEF.format(
        goal=exercise.goal,
        before=exercise.before,
        steps=f"\n\n{steps}" if steps else "",
        after=exercise.after,
        counts=exercise.counts,
    )


def handout(exercise: Exercise) -> str:
    """Return the README.md of the folder, which the lab's pages show as its handout."""
    number = exercise.lab.number
    return README.format(number=number, title=exercise.title, brief=brief(exercise))
