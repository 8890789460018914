"""Print headings, Markdown and paths for the commands that deal with exercises."""

from pathlib import Path

from rich.markdown import Markdown
from rich.text import Text
from rich.theme import Theme

from labkit.commands.options import console
from labkit.practice.exercise import KINDS, Exercise
from labkit.practice.progress import Progress

# Rich's own theme has white text on black, which is hard to read on a light terminal.
PLAIN = Theme({"markdown.code": "bold", "markdown.code_block": "none", "markdown.h2": "bold"})


def print_notice(progress: Progress) -> None:
    """Print a notice if the file with the progress was damaged."""
    if progress.notice:
        console.print(progress.notice + "\n", soft_wrap=True)


def print_heading(exercise: Exercise) -> None:
    """Print an exercise's kind, lab and title."""
    lab = f"lab {exercise.lab.number}"
    console.print(Text.assemble((f"{KINDS[exercise.kind]}, {lab}: {exercise.title}", "b"), "\n"))


def print_markdown(text: str) -> None:
    """Print Markdown from the catalogue, with lines wrapped between words."""
    with console.use_theme(PLAIN):
        console.print(Markdown(text, code_theme="ansi_dark"))  # has no background


def shown_path(folder: Path) -> str:
    """Return a folder's path as you would type it in the current folder, with a trailing slash."""
    here = Path.cwd()
    folder = folder.relative_to(here) if folder.is_relative_to(here) else folder
    return f"{folder.as_posix()}/"
