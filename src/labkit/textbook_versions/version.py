"""A textbook version: edits that add a mistake to a lab, and what readers learn from it."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from labkit.catalog import Catalog, CatalogError, Lab
from labkit.kept_files import make_private_folder, remove
from labkit.sources import Source
from labkit.text_format import command_line
from labkit.textbook_versions.steps import Step

FOLDER = Path("labs", "textbook")
STATE = "textbook"  # the folder in .lab for the copies of versions and their state
MOST_LINES = 15  # the limit for the sum of added and removed lines
LEFT_BEHIND = {"__pycache__", ".pytest_cache"}
NOT_ONCE = "the text of an edit occurs {count} times in {file}, not once"
NO_FILE = "{file} is not a file of the lab"
HANDOUT = """\
# {number} Textbook version: {title}

This is lab {number} with one fault from a textbook.

## What you see

{symptom}

## Try it

{steps}

## Why

{why}

{sources}

## Its repair

    {diff}
"""


class VersionError(CatalogError):
    """A version is malformed or does not exist. The message names the file."""


@dataclass(frozen=True)
class Edit:
    """A change to a file: `old`, which must occur exactly once, is replaced with `new`."""

    file: str  # the file's path in the lab, with forward slashes
    old: str
    new: str


@dataclass(frozen=True)
class Version:
    """A lab with one mistake that is common in textbooks."""

    lab: Lab
    name: str
    title: str
    symptom: str  # what a reader sees
    why: str  # one or two sentences that readers can learn by heart
    sources: tuple[Source, ...]
    edits: tuple[Edit, ...]
    see: tuple[Step, ...] = ()
    # The IDs in labs/claims.toml of the pitfalls that this version shows.
    pitfalls: tuple[str, ...] = ()
    says: str = ""  # Django's error message if the version does not start
    # False if, on a shared host, the version would affect or show other labs' cookies
    apart: bool = True
    in_chromium: bool = False  # whether the symptom depends on the browser
    threads: bool = False  # whether the version's server handles several requests at once

    @property
    def full_name(self) -> str:
        """Return the name with the lab's number, such as "03:names-as-cookies"."""
        return f"{self.lab.number}:{self.name}"

    @property
    def starts(self) -> bool:
        """Return whether this version starts; False if Django refuses to start it."""
        return not self.says

    @property
    def host(self) -> str:
        """Return the version's host name, which separates its cookies from those of the labs.

        Browsers resolve names that end in .localhost to this machine: RFC 6761, section 6.3.
        """
        return f"{self.name}.localhost"

    def edited_files(self) -> dict[str, bytes]:
        """Return the changed files as {path in the lab: content}.

        Line endings and a byte order mark are kept. Raises VersionError if a file is missing, or if
        the text of an edit does not occur exactly once.
        """
        found: dict[str, bytes] = {}
        for edit in self.edits:
            try:
                content = found.get(edit.file) or (self.lab.folder / edit.file).read_bytes()
            except OSError:
                raise self._error(NO_FILE.format(file=edit.file)) from None
            lines = map(re.escape, edit.old.encode().split(b"\n"))
            matches = list(re.finditer(rb"\r?\n".join(lines), content))
            if len(matches) != 1:
                reason = NOT_ONCE.format(count=len(matches), file=edit.file)
                raise self._error(f"{reason}: {edit.old!r}")
            start, end = matches[0].span()
            if not edit.new and content[:start].endswith(b"\n"):  # with its line ending
                end += len(re.match(rb"(\r?\n)?", content[end:])[0])  # type: ignore[index]
            ending = b"\r\n" if b"\r\n" in content else b"\n"
            new = edit.new.encode().replace(b"\n", ending)
            found[edit.file] = content[:start] + new + content[end:]
        return found

    def diff_lines(self) -> list[str]:
        """Return the lines added (+) and removed (-). Raises VersionError like edited_files()."""
        changed: list[str] = []
        for file, content in self.edited_files().items():
            sides = [(self.lab.folder / file).read_bytes(), content]
            old, new = (side.decode("utf-8-sig").splitlines() for side in sides)
            diff = list(difflib.unified_diff(old, new, n=0, lineterm=""))[2:]
            changed += [line for line in diff if not line.startswith("@@")]
        return changed

    def write(self, folder: Path) -> Lab:
        """Write an edited copy of the lab to a folder, and return the copy as a lab.

        The copy's folder has the lab's name, so its cookies have the lab's number. Files that are
        already up to date are not written, and files that are not in the lab are deleted. Raises
        VersionError like edited_files(), and OSError if the folder cannot be written.
        """
        edited = self.edited_files()
        target = folder / self.lab.folder.name
        wanted = set()
        for path in _files(self.lab.folder):
            name = path.relative_to(self.lab.folder).as_posix()
            content = edited.get(name) or path.read_bytes()
            if name == "README.md":
                content = self.handout().encode()
            copy = target / name
            wanted.add(copy)
            if not copy.is_file() or copy.read_bytes() != content:
                make_private_folder(copy.parent)
                copy.write_bytes(content)
        for path in set(_files(target)) - wanted:
            remove(path)
        return replace(self.lab, folder=target, title=self.title, variants={})

    def handout(self) -> str:
        """Return the text of the copy's README.md, which its pages show as the handout."""
        return HANDOUT.format(
            number=self.lab.number,
            title=self.title,
            symptom=_as_markdown(self.symptom),
            steps=steps_in_markdown(self.see) or self.says,
            why=_as_markdown(self.why),
            sources="\n".join(f"- {source.markdown}" for source in self.sources),
            diff=command_line("lab", "diff", self.full_name, self.lab.number),
        )

    def state(self, checkout: Catalog) -> Path:
        """Return the folder for this version's copy and state."""
        return checkout.state / STATE / f"{self.lab.number}-{self.name}"

    def _error(self, reason: str) -> VersionError:
        return VersionError(f"{FOLDER.as_posix()}/{self.lab.number}.toml, {self.name}: {reason}.")


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not LEFT_BEHIND & set(path.parts) and path.suffix != ".pyc":
            yield path


def steps_in_markdown(steps: Sequence[Step]) -> str:
    """Return the steps as a numbered list of actions, each followed by what the reader sees."""
    signs = [("1." if step.is_action else "   -", str(step)) for step in steps]
    return "\n".join(f"{sign} {_as_markdown(text)}" for sign, text in signs)


def _as_markdown(text: str) -> str:
    """Escape text so that Markdown renders it unchanged."""
    return re.sub(r"([\\`*_\[\]<>&])", r"\\\1", text)
