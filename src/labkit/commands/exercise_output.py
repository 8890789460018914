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
    """Say if the file of the progress was damaged."""
    if progress.notice:
        console.print(progress.notice + "\n", soft_wrap=True)


def print_heading(exercise: Exercise) -> None:
    """Print what kind of exercise it is, its lab and its title."""
    lab = f"lab {exercise.lab.number}"
    console.print(Text.assemble((f"{KINDS[exercise.kind]}, {lab}: {exercise.title}", "b"), "\n"))


def print_markdown(text: str) -> None:
    """Print a text of the catalogue, its lines broken at words."""
    with console.use_theme(PLAIN):
        console.print(Markdown(text, code_theme="ansi_dark"))  # has no background


def shown_path(folder: Path) -> str:
    """Return a folder's path as one types it here, with a slash at its end."""
    here = Path.cwd()
    folder = folder.relative_to(here) if folder.is_relative_to(here) else folder
    return f"{folder.as_posix()}/"
