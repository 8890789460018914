"""`lab practice`: list the exercises, start one, or start it again."""

import shutil
from itertools import groupby

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
    choose_exercise,
    folder_of,
    set_aside,
    start,
)
from labkit.text_format import command_line

# What the commands print; tests look for these.
NEXT = "next"
ALL_SOLVED = "All {count} exercises are solved."
SOLVED_OF = "{solved} of {count} exercises are solved. To continue: {line}"
KEPT = "Your old files are in {folder}."
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
    """Make the folder practice/NAME, and show the brief of the exercise."""
    checkout = catalog()
    exercise = choose_exercise(checkout, name)
    _start(checkout, exercise)


@practice.command("reset")
@click.argument("name", metavar="[NAME]", required=False)
def reset_exercise(name: str | None) -> None:
    """Start an exercise again, with no hints shown. Your old files are kept in NAME.old.

    The data that the exercise's pages have stored on the server is deleted.
    """
    checkout = catalog()
    exercise = choose_exercise(checkout, name)
    folder = folder_of(checkout, exercise)
    if folder.is_dir():
        shutil.rmtree(state_path(folder), ignore_errors=True)
        old = set_aside(folder)
        console.print(KEPT.format(folder=shown_path(old)) + "\n", soft_wrap=True)
    _start(checkout, exercise)


def _start(checkout: Catalog, exercise: Exercise) -> None:
    lab = start(checkout, exercise)
    note_start(checkout, exercise)
    print_heading(exercise)
    print_markdown(brief(exercise))
    folder = shown_path(lab.folder)
    console.print(f"\nYour files are in {folder}. What you can do there:\n", soft_wrap=True)
    lines = {
        ("run", folder): f"run it, at http://127.0.0.1:{lab.port}/",
        ("check", exercise.name): "check it, and see what to do next",
        ("hint", exercise.name): "show the next of three hints",
        ("solution", exercise.name): "show how it can be solved",
    }
    commands = [command_line("lab", *words) for words in lines]
    width = max(map(len, commands))
    for command, remark in zip(commands, lines.values(), strict=True):
        console.print(f"    {command:{width}}   {remark}", soft_wrap=True)


def _list(checkout: Catalog) -> None:
    progress = read_progress(checkout)
    print_notice(progress)
    exercises = read_exercises(checkout)
    if not exercises:
        console.print(NO_EXERCISES)
        return
    open_ones = [each for each in exercises if progress.of(each).state != SOLVED]
    following = open_ones[0] if open_ones else None
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
