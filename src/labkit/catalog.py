"""Reads labs/labs.toml, the manifest that says which labs there are and which are twins."""

import os
import re
import tomllib
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

MANIFEST = Path("labs", "labs.toml")
HEADING = re.compile("# ([0-9]{2}) (.+)")  # of a handout


class CatalogError(Exception):
    """The manifest is missing or wrong, or names no such lab. The message is one plain sentence."""


@dataclass(frozen=True)
class Lab:
    """One lab: a Django project in its own folder."""

    number: str  # two digits, "03"; a copy outside labs/ has its folder's name instead
    slug: str
    title: str
    idea: str
    folder: Path
    database: bool  # a lab whose state is all in cookies has none
    redis: bool = False  # whether it can keep its sessions in Redis
    twin: str | None = None
    contract: str | None = None
    renews: str | None = None  # a cart: "item" or "cart", whose lifetime a write renews
    # For `lab diff`: name -> file, file::function, or file::row of the literal TABLE in that file.
    variants: dict[str, str] = field(default_factory=dict, compare=False)
    # For variants that are rows: name -> the environment variables that select it.
    environments: dict[str, dict[str, str]] = field(default_factory=dict, compare=False)
    original: str | None = None  # a copy: the number of the lab it was made from, if it says so

    @property
    def port(self) -> int:
        """The default port: 8000 and the lab's number; for a copy, 8200 to 8899 by its name."""
        if re.fullmatch("[0-9]{2}", self.number):
            return 8000 + int(self.number)
        return 8200 + zlib.crc32(self.number.encode()) % 700


@dataclass(frozen=True)
class Twins:
    """Two labs that do the same thing in two ways, and the files in which they may differ."""

    labs: tuple[str, str]
    lines: int
    differs_in: dict[str, str]  # file -> why it differs


@dataclass(frozen=True)
class Catalog:
    """The manifest of one checkout."""

    root: Path

    @cached_property
    def _data(self) -> dict:
        path = self.root / MANIFEST
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise CatalogError(f"There is no manifest at {path}.") from None
        except tomllib.TOMLDecodeError as error:
            raise CatalogError(f"{path} is not valid TOML: {error}.") from None

    @cached_property
    def labs(self) -> tuple[Lab, ...]:
        """All labs, in teaching order."""
        try:
            return tuple(
                Lab(**entry, folder=self.root / "labs" / f"{entry['number']}_{entry['slug']}")
                for entry in self._data["lab"]
            )
        except (KeyError, TypeError) as error:
            path = self.root / MANIFEST
            raise CatalogError(f"An entry of {path} is not right: {error}.") from None

    @cached_property
    def twins(self) -> tuple[Twins, ...]:
        """All pairs of twins."""
        return tuple(
            Twins(tuple(entry["labs"]), entry["lines"], entry["differs_in"])
            for entry in self._data["twins"]
        )

    def find(self, name: str) -> Lab:
        """Return the lab called "3", "03", "cookie_cart", "03_cookie_cart" or a path ending so.

        A path to any other folder with a lab in it gives a copy, see `copy_in`.
        Raises CatalogError with the numbers of all labs if there is no such lab.
        """
        wanted, folder = Path(name).name or name, Path(name).resolve()
        elsewhere = Path(name).parts[1:] and folder.parent != (self.root / "labs").resolve()
        if elsewhere and is_lab(folder):
            return self.copy_in(folder)
        for lab in self.labs:
            if wanted in {lab.number, lab.number.lstrip("0"), lab.slug, lab.folder.name}:
                return lab
        if name and is_lab(folder):
            return self.copy_in(folder)
        known = ", ".join(lab.number for lab in self.labs)
        raise CatalogError(f"There is no lab {name}. The labs are {known}; `lab list` tells more.")

    def copy_in(self, folder: Path) -> Lab:
        """Return the copy of a lab in this folder; its number is the folder's name.

        The first line of its README.md names the original, and its settings.py the database.
        """
        try:
            readme = (folder / "README.md").read_text(encoding="utf-8")
            settings = (folder / "lab" / "settings.py").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            readme = settings = ""
        heading = HEADING.match(readme)
        original = next((lab for lab in self.labs if heading and lab.number == heading[1]), None)
        return Lab(
            own_number(folder),
            slug=folder.name,
            title=heading[2] if heading else folder.name,
            idea=original.idea if original else "",
            folder=folder,
            database="\nDATABASES =" in settings,
            redis="\nCACHES =" in settings,
            renews=original.renews if original else None,
            original=original.number if original else None,
        )


def is_lab(folder: Path) -> bool:
    """Return whether this is the folder of a lab or a copy: with manage.py and lab/settings.py."""
    return (folder / "manage.py").is_file() and (folder / "lab" / "settings.py").is_file()


def catalog() -> Catalog:
    """Return the manifest of the checkout around the current folder, or else around labkit.

    Raises CatalogError if there is neither.
    """
    here = Path.cwd()
    for root in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if (root / MANIFEST).is_file():
            return Catalog(root)
    raise CatalogError(
        "There is no labs/labs.toml here or above. Change into the folder that holds labs/."
    )


def own_number(folder: Path) -> str:
    """Return the number in a folder's name, "03" for 03_cookie_cart; for a copy its name, "mine".

    Cookies ignore ports, so all labs on one host share one jar. The names of a lab's cookies end in
    this text to keep them apart, so it has only letters, digits and _.
    """
    name = folder.name
    if digits := re.match(r"([0-9]{2})_", name):
        return digits[1]
    safe = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")
    # Two names in another script must not become the same one.
    return safe if name.isascii() and safe else f"{safe}{zlib.crc32(name.encode()):08x}"


def state_dir(folder: Path) -> Path:
    """Return `state_path`, the folder in which this lab may write; make it if it is missing."""
    path = state_path(folder)
    path.mkdir(parents=True, exist_ok=True)
    return path


def state_path(folder: Path) -> Path:
    """Return the path of a lab's state: .lab/NN beside labs/, which stays clean for diff and copy.

    The environment variable LAB_STATE_DIR replaces .lab.
    """
    above = folder.parent
    home = above.parent if (above / "labs.toml").is_file() else above
    return Path(os.environ.get("LAB_STATE_DIR") or home / ".lab") / own_number(folder)
