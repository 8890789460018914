"""`lab hint`: show the next hint of an exercise."""

import click

from labkit.catalog import catalog
from labkit.commands.exercise_output import print_heading, print_markdown, print_notice
from labkit.commands.options import console
from labkit.practice.progress import note_hint, read_progress
from labkit.practice.start import choose_exercise, started_folder
from labkit.text_format import command_line

HINT = "Hint {number} of {count}\n"
NO_MORE = "There are no more hints. To see the solution: {line}"
NONE_YET = "No hint has been shown yet. To see the first one: {line}"


@click.command("hint")
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--shown", is_flag=True, help="Repeat the hints that have been shown.")
def hint(name: str | None, shown: bool) -> None:
    """Show the next hint of an exercise. There are three: a nudge, where to look, and the code.

    In the folder of the exercise, you can leave out NAME.
    """
    checkout = catalog()
    exercise = choose_exercise(checkout, name)
    started_folder(checkout, exercise)
    progress = read_progress(checkout)
    print_notice(progress)
    print_heading(exercise)
    count, number = len(exercise.hints), progress.of(exercise).hints_shown
    if not shown and number >= count:
        line = command_line("lab", "solution", exercise.name)
        console.print(NO_MORE.format(line=line), soft_wrap=True)
        return
    if shown and not number:
        line = command_line("lab", "hint", exercise.name)
        console.print(NONE_YET.format(line=line), soft_wrap=True)
    for each in range(number) if shown else [number]:
        console.print(HINT.format(number=each + 1, count=count))
        print_markdown(exercise.hints[each])
        console.print()
    if not shown:
        note_hint(checkout, exercise, number + 1)
