"""Read the two sides of a comparison: labs, variants (05:cookie, 10:db) or folders."""

import ast
import codecs
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from labkit.catalog import Catalog, CatalogError, Lab
from labkit.textbook_versions import Version, find_version, is_part

# The order in which to read a lab. A folder stands for everything in it. The first
# entry is a pseudo-file with the environment variables that are set before a lab starts.
ENVIRONMENT = "the environment"
ORDER = [
    ENVIRONMENT,
    "lab/settings.py",
    "lab/urls.py",
    "lab/forms.py",
    "lab/storage.py",
    "lab/carriers",
    "lab/views.py",
    "lab",
    "lab/templates",
    "",
    "tests",
]
LARGEST = 200_000  # in bytes; larger files are not shown
NO_CODE = {"README.md"}  # not compared
LEFT_BEHIND = {"__pycache__", "node_modules"}


@dataclass(frozen=True)
class File:
    """A file, or a part of one, on one side of the comparison."""

    name: str  # the path within the lab, as shown to the reader
    content: bytes
    pairs_as: str = ""  # two files, one on each side, are compared if this value is the same
    each_line: bool = False  # whether lines are compared by position, even if they are not similar

    def text(self) -> str | None:
        """Return the file's text, or None if it is binary or too large."""
        if len(self.content) > LARGEST or b"\0" in self.content:
            return None
        try:
            return self.content.decode("utf-8")
        except UnicodeDecodeError:
            return None

    def plain(self) -> "File":
        """Return the file without a byte order mark and, if all its lines end in CRLF, with LF.

        Editors and git on Windows may add a byte order mark and CRLF. Binary files are returned
        unchanged.
        """
        content = self.content.removeprefix(codecs.BOM_UTF8)
        if content.count(b"\n") == content.count(b"\r\n"):
            content = content.replace(b"\r\n", b"\n")
        return self if self.text() is None else replace(self, content=content)


@dataclass(frozen=True)
class Side:
    """One of the two sides of a comparison."""

    name: str  # "03", "05:cookie", or a folder as the user typed it
    title: str
    files: tuple[File, ...]
    about: str = ""  # an explanation of this side for the reader
    rest: tuple[str, ...] = ()  # files that a variant shares with the lab's other variants
    lab: Lab | None = None  # set if the side is a lab of the manifest or a copy of one
    version: Version | None = None  # set if the side is a textbook version of that lab


def find_side(checkout: Catalog, name: str) -> Side:
    """Return the side with this name. Raises CatalogError, listing all names, if there is none."""
    if is_part(name):
        lab_name, _, part = name.partition(":")
        lab = checkout.find(lab_name)
        return _variant(lab, part) if part in lab.variants else _version(checkout, name)
    shown = name.rstrip("/\\") or name
    try:
        lab = checkout.find(name)
    except CatalogError:
        if not Path(name).is_dir():
            raise
        return Side(shown, "a folder", tuple(_files(Path(name))))
    shown = lab.number if lab in checkout.labs else shown
    return Side(shown, lab.title, tuple(_files(lab.folder)), lab=lab)


def reading_order(path: str) -> tuple[int, str]:
    """Return a sort key for reading order; the nearest folder in ORDER determines the position."""
    place = PurePosixPath(path)
    above = next((str(p) for p in (place, *place.parents) if str(p) in ORDER), "")
    return ORDER.index(above), path


def _files(folder: Path) -> Iterator[File]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in LEFT_BEHIND | NO_CODE:
            continue
        if path.is_dir() and not (path / "pyvenv.cfg").exists():
            for file in _files(path):
                name = f"{path.name}/{file.name}"
                yield File(name, file.content, name)
        elif path.is_file() and not path.name.endswith((".pyc", ".sqlite3")):
            yield File(path.name, path.read_bytes(), path.name)


def _version(checkout: Catalog, name: str) -> Side:
    version = find_version(checkout, name)
    edited = version.edited_files()
    files = (
        replace(file, content=edited.get(file.name, file.content))
        for file in _files(version.lab.folder)
    )
    return Side(
        version.full_name, version.title, tuple(files), version.symptom, (), version.lab, version
    )


# Variants within one lab


def _variant(lab: Lab, name: str) -> Side:
    path, _, part = lab.variants[name].partition("::")
    shown = f"{lab.number}:{name}"
    rest = [file.name for file in _files(lab.folder)]
    content = (lab.folder / path).read_bytes()
    if not part:
        rest = [name for name in rest if name not in lab.variants.values()]
        file = File(path, content, "lab/carriers")
        title = ast.get_docstring(_parsed(lab, path)) or lab.title
        return Side(shown, title, (file,), rest=tuple(rest), lab=lab)
    source = content.decode("utf-8")
    for node in _parsed(lab, path).body:
        if isinstance(node, ast.FunctionDef) and node.name == part:
            snippet = f"{ast.get_source_segment(source, node)}\n".encode()
            file = File(f"{path}, {part}()", snippet, path)
            about = f"Both are functions in {path} of lab {lab.number}, which its tests use."
            rest.remove(path)  # this file is shown
            title = ast.get_docstring(node) or lab.title
            return Side(shown, title, (file,), about, tuple(rest), lab)
    return _table_row(lab, name, path, part, rest)


def _parsed(lab: Lab, path: str) -> ast.Module:
    try:
        return ast.parse((lab.folder / path).read_bytes())
    except (SyntaxError, ValueError) as error:
        raise CatalogError(f"{lab.folder / path} cannot be read as Python: {error}.") from None


SAME_CODE = (
    "Both run the same code of lab {0}, with the environment variables that `lab run {0} --engine` "
    "sets for settings.py. The variables decide what happens to the cart. The table is in {1} of "
    "the lab; tests/test_table.py proves each of its cells."
)


def _table_row(lab: Lab, name: str, path: str, row: str, rest: list[str]) -> Side:
    """Return a variant selected by environment variables, with its row of the lab's table.

    The file contains two literals: the dict COLUMNS with the heading of each column, and the dict
    TABLE with the cells of each row, separated by "|".
    """
    literals = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in _parsed(lab, path).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    if row not in literals.get("TABLE", {}):
        raise CatalogError(
            f"{lab.folder / path} has no row for {row}; see `variants` in labs.toml."
        )
    cells = zip(literals["COLUMNS"].values(), literals["TABLE"][row].split("|"), strict=True)
    facts = [f"{heading}: {cell}" for heading, cell in cells]
    setting = [f"{key}={value}" for key, value in lab.environments[name].items()]
    parts = {ENVIRONMENT: setting, f"{path}, the row of the table": facts}
    files = tuple(
        File(shown, ("\n".join(lines) + "\n").encode(), shown, each_line=True)
        for shown, lines in parts.items()
    )
    about = SAME_CODE.format(lab.number, path)
    return Side(f"{lab.number}:{name}", f"{facts[0]}.", files, about, tuple(rest), lab)
