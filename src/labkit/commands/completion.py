"""Tab completion of labs, textbook versions and exercises, without importing the commands.

Importing a command can take longer than users are willing to wait for a completion. So when the
shell asks for completions, a stand-in replaces the command: it has the same name and options, but
only knows what its arguments can be.
Source: https://click.palletsprojects.com/en/stable/shell-completion/
"""

import os
import re
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class

from labkit.catalog import Catalog, CatalogError, catalog, read_lines
from labkit.practice.exercise import MANIFEST
from labkit.text_format import command_line
from labkit.textbook_versions import read_versions

LAB, VERSION, VARIANT, EXERCISE, FOLDER = "lab", "version", "variant", "exercise", "folder"
# {command: the kinds of value that each of its arguments accepts}
ARGUMENTS: dict[str, list[tuple[str, ...]]] = {
    "check": [(EXERCISE, FOLDER)],
    "copy": [(LAB,), (FOLDER,)],
    "diff": [(LAB, VERSION, VARIANT, FOLDER)] * 2,
    "hint": [(EXERCISE,)],
    "list": [(LAB,)],
    "practice reset": [(EXERCISE,)],
    "practice start": [(EXERCISE,)],
    "record": [(LAB,)],
    "reset": [(LAB, VERSION, FOLDER)],
    "run": [(LAB, VERSION, FOLDER)],
    "solution": [(EXERCISE,)],
}
# {shell: (the line that turns completion on, the file to add it to)}
SHELLS = {
    "bash": ('eval "$(_LAB_COMPLETE=bash_source {lab})"', "~/.bashrc"),
    "zsh": ('eval "$(_LAB_COMPLETE=zsh_source {lab})"', "~/.zshrc"),
    "fish": ("_LAB_COMPLETE=fish_source {lab} | source", "~/.config/fish/config.fish"),
}
Loader = Callable[[], click.Command | None]


def activation(lab: str) -> tuple[str, str] | None:
    """Return the line that turns completion on in the user's shell, and the file to add it to.

    lab: the path of the command `lab`. Return None for a shell that click does not support.
    """
    found = SHELLS.get(Path(os.environ.get("SHELL", "")).name)
    return (found[0].format(lab=command_line(lab)), found[1]) if found else None


class QuickCommand(click.Command):
    """A stand-in for a command during completion; it loads the command only to complete options."""

    def __init__(self, name: str, load: Loader, params: list[click.Parameter]) -> None:
        super().__init__(name, params=params)
        self.load = load

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        command = self.load() if incomplete.startswith("-") else None
        return command.shell_complete(click.Context(command), incomplete) if command else []


def quick_command(name: str, load: Loader, words: list[str]) -> click.Command | None:
    """Return a stand-in for this command, or the command itself if it is not in ARGUMENTS.

    load: a function that returns the command itself. words: the words typed after the command's
    name. If they include an option, the command is loaded immediately.
    """
    if name == "practice":
        parts = [each.split()[1] for each in ARGUMENTS if each.startswith(f"{name} ")]
        group = click.Group(name, invoke_without_command=True)
        for part in parts:
            group.add_command(_with_arguments(part, f"{name} {part}", load, []))
        return group
    if name not in ARGUMENTS:
        return load()
    options = any(word.startswith("-") for word in words)
    command = load() if options else None
    params = [each for each in command.params if isinstance(each, click.Option)] if command else []
    return _with_arguments(name, name, load, params)


def _with_arguments(name: str, key: str, load: Loader, options: list[click.Option]) -> QuickCommand:
    arguments = [
        click.Argument([f"word{number}"], required=False, shell_complete=partial(_complete, kinds))
        for number, kinds in enumerate(ARGUMENTS[key])
    ]
    return QuickCommand(name, load, [*options, *arguments])


def _complete(
    kinds: tuple[str, ...], ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    folders = FOLDER in kinds and ":" not in incomplete
    found = [CompletionItem(incomplete, type="dir")] if folders else []
    try:
        items = list(_items(catalog(), kinds, incomplete))
    except (CatalogError, ValueError):  # the command reports the error when it is run
        return found
    return found + [item for item in items if item.value.startswith(incomplete)]


def _items(checkout: Catalog, kinds: tuple[str, ...], incomplete: str) -> Iterator[CompletionItem]:
    if EXERCISE in kinds:
        for name, table in tomllib.loads(read_lines(checkout.root / MANIFEST)).items():
            yield CompletionItem(name, help=str(table.get("title", "")))
    for lab in checkout.labs if LAB in kinds else ():
        yield CompletionItem(lab.number, help=lab.title)
        # If the variants and versions of all labs were listed, the labs would be hard to find.
        if not incomplete.startswith(lab.number):
            continue
        if VARIANT in kinds:
            yield from (CompletionItem(f"{lab.number}:{name}") for name in lab.variants)
        if VERSION in kinds:
            for version in read_versions(checkout, lab):
                yield CompletionItem(version.full_name, help=version.title)


class ColonBash(BashComplete):
    """Completion for Bash, which splits words at colons: join 03:names into one word again."""

    prefix = ""  # the beginning of the word, which Bash does not replace

    def get_completion_args(self) -> tuple[list[str], str]:
        args, incomplete = super().get_completion_args()
        joined = re.sub(r"\0?:\0?", ":", "\0".join([*args, incomplete]))
        *args, incomplete = joined.split("\0")
        self.prefix = incomplete[: incomplete.rfind(":") + 1]
        return args, incomplete

    def format_completion(self, item: CompletionItem) -> str:
        item.value = item.value.removeprefix(self.prefix)
        return super().format_completion(item)


add_completion_class(ColonBash)
