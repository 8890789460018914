"""`lab solution`: show how an exercise can be solved."""

import shutil
import sys
from pathlib import Path

import click

from labkit.catalog import catalog
from labkit.commands.exercise_output import print_heading, print_markdown, print_notice
from labkit.commands.options import console, html_option, use_colour
from labkit.diff import html_page, terminal
from labkit.practice.progress import SOLVED, read_progress
from labkit.practice.solution import compare_with_solution, read_tests
from labkit.practice.start import choose_exercise, started_folder
from labkit.render import standalone_page
from labkit.text_format import command_line

ASK = "You have not solved this exercise yet. Show the solution?"
NOBODY_TO_ASK = "You have not solved this exercise yet. To see the solution anyway: {line}"
WRITTEN = "The solution is in {file}. Open it in any browser, even offline."
OTHER_WAYS = "Other solutions are right too if they do what the brief asks for."
SOLVED_ALREADY = "You have solved this exercise. Yours may differ from this one and be right."


@click.command("solution")
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--yes", is_flag=True, help="Show an unsolved exercise's solution without asking.")
@html_option
def solution(name: str | None, yes: bool, html: Path | None) -> None:
    """Show what differs between your files and the solution, and why.

    The solution is the lab itself, in labs/, so it is not secret. If the exercise is not solved
    yet, the command asks before it shows the solution. In the folder of the exercise, you can leave
    out NAME.
    """
    checkout = catalog()
    exercise = choose_exercise(checkout, name)
    folder = started_folder(checkout, exercise)
    progress = read_progress(checkout)
    print_notice(progress)
    if progress.of(exercise).state != SOLVED and not yes:
        if not sys.stdin.isatty():
            line = command_line("lab", "solution", exercise.name, "--yes")
            raise click.ClickException(NOBODY_TO_ASK.format(line=line))
        if not click.confirm(ASK):
            return
    found = compare_with_solution(checkout, exercise, folder)
    if html:
        standalone_page.write(html, html_page.html(found), html_page.MADE_BY)
        console.print(WRITTEN.format(file=html), soft_wrap=True)
        return
    print_heading(exercise)
    print_markdown(exercise.explanation)
    for source in exercise.sources:
        console.print(f"  {source.title}: {source.url}", soft_wrap=True)
    solved = progress.of(exercise).state == SOLVED
    console.print(f"\n{SOLVED_ALREADY if solved else OTHER_WAYS}\n", soft_wrap=True)
    # This is shown instead of a diff, since a diff against the user's tests would not help.
    if tests := read_tests(checkout, exercise):
        click.echo(tests, nl=False)
        return
    colour, width = use_colour(), shutil.get_terminal_size().columns
    click.echo(terminal.text(found, colour, width), nl=False, color=colour)
