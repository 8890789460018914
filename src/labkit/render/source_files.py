"""Return a lab's source files in reading order, with syntax highlighting."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from labkit.render.highlight import Span, highlight

FIRST = ["settings.py", "urls.py", "forms.py", "storage.py", "views.py"]
LAST_TEMPLATES = ["nav.html", "base.html"]  # these templates define the layout of all pages
TEXTS = {".py", ".html", ".css", ".js", ".toml", ".txt", ".sql"}


@dataclass(frozen=True)
class File:
    """One file to read."""

    name: str  # relative to the lab, "lab/views.py"
    anchor: str
    lines: list[list[Span]]


def files(folder: Path, parts: Iterable[str] = ("lab", "tests")) -> list[File]:
    """Return the files in these subfolders of a lab, in reading order."""
    paths = sorted(_texts(folder, parts), key=lambda path: _place(path, folder))
    return [_read(folder, path) for path in paths]


def anchor(name: str) -> str:
    """Return the HTML id of a file on the page. The id of the file's line 3 has the suffix "-3"."""
    return name.replace("/", "-").replace(".", "-")


def _texts(folder: Path, parts: Iterable[str]) -> Iterator[Path]:
    for part in parts:
        for path in (folder / part).rglob("*"):
            hidden = any(p.startswith((".", "__pycache__")) for p in path.parts[-3:])
            if path.suffix in TEXTS and not hidden and path.is_file() and path.stat().st_size:
                yield path


def _place(path: Path, folder: Path) -> tuple[int, int, str]:
    part, *rest = path.relative_to(folder).parts
    name = "/".join(rest)
    if part == "tests":
        return 3, 0, name
    if rest[0] == "templates":
        return 2, LAST_TEMPLATES.index(path.name) + 1 if path.name in LAST_TEMPLATES else 0, name
    if rest[0] == "migrations":
        return 1, 1, name
    return (0, FIRST.index(name), name) if name in FIRST else (1, 0, name)


def _read(folder: Path, path: Path) -> File:
    name = path.relative_to(folder).as_posix()
    text = path.read_text(encoding="utf-8", errors="replace")
    return File(name, anchor(name), highlight(text.removesuffix("\n"), path.suffix))
