"""`lab practice`: list the exercises, start one, or start it again."""

import os
import shutil
import sys
from itertools import groupby
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from labkit.catalog import Catalog, catalog, state_path
from labkit.commands.exercise_output import (
    print_heading,
    print_markdown,
    print_notice,
    shown_path,
)
from labkit.commands.options import console
from labkit.practice.exercise import KINDS, Exercise, read_exercises
from labkit.practice.progress import (
    SOLVED,
    STARTED,
    note_start,
    read_progress,
)
from labkit.practice.start import (
    brief,
    changed_files,
    choose_exercise,
    folder_of,
    old_folder,
    set_aside,
    start,
)
from labkit.text_format import command_line

# Messages that the commands print; tests look for them.
NEXT = "next"
ALL_SOLVED = "All {count} exercises are solved."
SOLVED_OF = "{solved} of {count} exercises are solved. To continue: {line}"
KEPT = "Your old files are in {folder}."
MOVED = "This shell is still in the folder with the old files. Change into the new one:"
ASK = "You have changed {files}. Start again? Your files will be kept in {folder}"
NOBODY_TO_ASK = "You have changed {files}. To start again and keep your files in {folder}: {line}"
MOST_FILES = 3  # that are named
QUICK = "`pytest` in this folder runs your tests on the lab only, which is quick."
COOKIES = "While you run the exercise, the names of its cookies end in _{number}."
STATES = {"": "", STARTED: "started", SOLVED: "solved"}
OUTDATED = "has changed since then"
NO_EXERCISES = "There is no labs/exercises.toml in this checkout, so there are no exercises."


@click.group("practice", invoke_without_command=True)
@click.pass_context
def practice(context: click.Context) -> None:
    """List the exercises, and start one.

    An exercise starts with a lab that has a fault or is unfinished. Its folder is practice/NAME. In
    that folder, `lab check`, `lab hint` and `lab solution` need no name.
    """
    if context.invoked_subcommand is None:
        _list(catalog())


@practice.command("start")
@click.argument("name", metavar="NAME")
def start_exercise(name: str) -> None:
    """Create the folder practice/NAME, and show the brief of the exercise."""
    checkout = catalog()
    exercise = choose_exercise(checkout, name)
    _start(checkout, exercise)


@practice.command("reset")
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--yes", is_flag=True, help="Do not ask, even if you have changed files.")
def reset_exercise(name: str | None, yes: bool) -> None:
    """Start an exercise again, with no hints shown. Your old files are kept in NAME.old.

    If you have changed files, the command asks first. A solved exercise stays solved.
    The data that the exercise's pages have stored on the server is deleted.
    """
    checkout = catalog()
    exercise = choose_exercise(checkout, name)
    folder = folder_of(checkout, exercise).absolute()
    inside = Path.cwd().is_relative_to(folder.resolve())
    if folder.is_dir():
        if not (yes or _may_replace(exercise, folder)):
            return
        shutil.rmtree(state_path(folder), ignore_errors=True)
        if inside:
            os.chdir(folder.parent)  # Windows cannot rename the current folder
        old = set_aside(folder)
        shown = f"{old}{os.sep}" if inside else shown_path(old)
        console.print(KEPT.format(folder=shown) + "\n", soft_wrap=True)
    _start(checkout, exercise, inside)
    if inside:
        console.print(f"\n{MOVED}\n\n    {command_line('cd', str(folder))}", soft_wrap=True)


def _may_replace(exercise: Exercise, folder: Path) -> bool:
    """Return True if no file was changed, or if the user agrees. Raises ClickException."""
    changed = changed_files(exercise, folder)
    if not changed:
        return True
    more = f" and {len(changed) - MOST_FILES} more" if changed[MOST_FILES:] else ""
    files = ", ".join(changed[:MOST_FILES]) + more
    names = {"files": files, "folder": f"{old_folder(folder).name}{os.sep}"}
    if not sys.stdin.isatty():
        line = command_line("lab", "practice", "reset", exercise.name, "--yes")
        raise click.ClickException(NOBODY_TO_ASK.format(**names, line=line))
    return click.confirm(ASK.format(**names))


def _start(checkout: Catalog, exercise: Exercise, inside: bool = False) -> None:
    lab = start(checkout, exercise)
    if inside:
        os.chdir(lab.folder)  # makes the printed paths relative to this folder
    note_start(checkout, exercise)
    print_heading(exercise)
    print_markdown(brief(exercise))
    folder = shown_path(lab.folder)
    console.print(f"\nYour files are in {folder}. What you can do there:\n", soft_wrap=True)
    lines = {
        ("run", folder): f"run it, at http://127.0.0.1:{lab.port}/",
        ("check", exercise.name): "check it, and see what to do next",
        ("check", exercise.name, "--watch"): "check it after each save",
        ("hint", exercise.name): "show the next of three hints",
        ("solution", exercise.name): "show how it can be solved",
    }
    commands = [command_line("lab", *words) for words in lines]
    width = max(map(len, commands))
    for command, remark in zip(commands, lines.values(), strict=True):
        console.print(f"    {command:{width}}   {remark}", soft_wrap=True)
    if exercise.kind == "test":
        console.print(f"\n{QUICK}", soft_wrap=True)
    console.print(f"\n{COOKIES.format(number=exercise.number)}", soft_wrap=True)


def _list(checkout: Catalog) -> None:
    progress = read_progress(checkout)
    print_notice(progress)
    exercises = read_exercises(checkout)
    if not exercises:
        console.print(NO_EXERCISES)
        return
    open_ones = [each for each in exercises if progress.of(each).state != SOLVED]
    following = progress.find_next(exercises)
    widths = (7, max(len(each.name) for each in exercises), max(map(len, KINDS.values())))
    for lab, group in groupby(exercises, key=lambda each: each.lab):
        console.print(Text(f"\n{lab.number} {lab.title}", "b"))
        table = Table(box=None, pad_edge=False, show_header=False)
        for width in widths:
            table.add_column(min_width=width, no_wrap=True)
        for each in group:
            record = progress.of(each)
            state = Text("→ " + NEXT, "b") if each is following else STATES[record.state]
            outdated = "" if record.is_current(each) else f" ({OUTDATED})"
            table.add_row(state, each.name, KINDS[each.kind], each.title + outdated)
        console.print(table)
    if following is None:
        console.print("\n" + ALL_SOLVED.format(count=len(exercises)))
        return
    begun = progress.of(following).state
    words = ("check", following.name) if begun else ("practice", "start", following.name)
    solved = len(exercises) - len(open_ones)
    text = SOLVED_OF.format(solved=solved, count=len(exercises), line=command_line("lab", *words))
    console.print("\n" + text, soft_wrap=True)
