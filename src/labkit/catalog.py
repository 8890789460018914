"""Read labs/labs.toml, the manifest of all labs and their twins."""

import contextlib
import difflib
import errno
import os
import re
import tomllib
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from labkit.kept_files import make_private_folder
from labkit.text_format import either

MANIFEST = Path("labs", "labs.toml")
PRACTICE = "practice"  # the folder for exercises that were started; it is beside labs/
FIRST_PORT, PORTS = 8200, 700  # copies use the ports from 8200 to 8899
LONGEST = 40  # in characters; in cookie names, longer names of copies are truncated
NOT_WRITABLE = (
    "{path} cannot be written ({reason}). Set the environment variable LAB_STATE_DIR to a folder "
    "of yours. The labs then store everything there."
)
CLOSE = 0.75  # how similar a mistyped name must be to a lab's, from 0 to 1
DID_YOU_MEAN = "Did you mean {names}?"
HEADING = re.compile("# ([0-9]{2}) (.+)")  # a handout's first line


class CatalogError(Exception):
    """The manifest is missing or malformed, or does not list this lab.

    The exception's message is one sentence.
    """


@dataclass(frozen=True)
class Lab:
    """One lab: a Django project in its own folder."""

    number: str  # two digits, such as "03"; for a copy, the result of own_number()
    slug: str
    title: str
    idea: str
    folder: Path
    database: bool  # False if the lab keeps all its state in cookies
    redis: bool = False  # whether the lab can store its sessions in Redis
    twin: str | None = None
    contract: str | None = None
    meeting: int = 0  # the number of the course meeting that uses the lab, from 1; 0 for a copy
    # For a cart: a write extends the expiry of the "item" or of the whole "cart".
    renews: str | None = None
    # Variants for `lab diff`: {name: file, file::function, or file::row for a row of the literal
    # TABLE in that file}.
    variants: dict[str, str] = field(default_factory=dict, compare=False)
    # Variants that are rows of a table: {name: the environment variables that select the row}.
    environments: dict[str, dict[str, str]] = field(default_factory=dict, compare=False)
    # For a copy: the original's number, if the copy's handout names the original.
    original: str | None = None

    @property
    def compares_engines(self) -> bool:
        """Return whether the lab's variants are session engines."""
        return any("SESSION_ENGINE" in names for names in self.environments.values())

    @property
    def port(self) -> int:
        """Return the default port: 8000 plus the lab's number; for a copy, see `copy_port`."""
        if re.fullmatch("[0-9]{2}", self.number):
            return 8000 + int(self.number)
        return copy_port(self.folder)


@dataclass(frozen=True)
class Twins:
    """Two labs that do the same thing in different ways, and the files in which they may differ."""

    labs: tuple[str, str]
    lines: int
    differs_in: dict[str, str]  # file -> why it differs


@dataclass(frozen=True)
class Catalog:
    """The contents of the manifest in one checkout."""

    root: Path

    @property
    def state(self) -> Path:
        """Return the state folder; see `state_home`."""
        return state_home(self.root)

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
        """Return all labs, in teaching order."""
        try:
            return tuple(
                Lab(**entry, folder=self.root / "labs" / f"{entry['number']}_{entry['slug']}")
                for entry in self._data["lab"]
            )
        except (KeyError, TypeError) as error:
            path = self.root / MANIFEST
            raise CatalogError(f"An entry of {path} is malformed: {error}.") from None

    @cached_property
    def twins(self) -> tuple[Twins, ...]:
        """Return all pairs of twins."""
        return tuple(
            Twins(tuple(entry["labs"]), entry["lines"], entry["differs_in"])
            for entry in self._data["twins"]
        )

    def find(self, name: str) -> Lab:
        """Return the lab named "3", "03", "cookie_cart" or "03_cookie_cart", or by its path.

        If the name is a path to any other folder with a lab, return that lab as a copy; see
        `copy_in`. Raises CatalogError, which lists the labs with a similar name, or all labs, if
        there is no such lab.
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
        if similar := self.similar(wanted) if not folder.exists() else []:
            raise CatalogError(f"{absence(name)} {DID_YOU_MEAN.format(names=either(similar))}")
        known = ", ".join(sorted(lab.number for lab in self.labs))
        raise CatalogError(f"{absence(name)} The labs are {known}. `lab list` describes them.")

    def similar(self, name: str) -> list[str]:
        """Return the folder names of the labs that a partial or mistyped name may stand for."""
        folders = {lab.slug: lab.folder.name for lab in self.labs}
        slugs = [slug for slug in folders if name and name.lower() in slug]
        slugs = slugs or difflib.get_close_matches(name.lower(), folders, cutoff=CLOSE)
        return sorted(folders[slug] for slug in slugs)

    def copy_in(self, folder: Path) -> Lab:
        """Return the lab in this folder as a copy. For its number, see own_number().

        The first line of the copy's README.md names the original lab; its settings.py shows whether
        it uses a database.
        """
        readme = read_lines(folder / "README.md")
        settings = read_lines(folder / "lab" / "settings.py")
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
    """Return whether a folder contains a lab or a copy: it has manage.py and lab/settings.py."""
    return (folder / "manage.py").is_file() and (folder / "lab" / "settings.py").is_file()


def catalog() -> Catalog:
    """Return the manifest of the checkout around the current folder, or else around labkit.

    Raises CatalogError if neither the current folder nor labkit is inside a checkout.
    """
    here = Path.cwd()
    for root in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if (root / MANIFEST).is_file():
            return Catalog(root)
    raise CatalogError(
        "There is no labs/labs.toml here or above. Change to the folder that contains labs/, or "
        "install labkit from it with pip install -e."
    )


def read_lines(path: Path) -> str:
    """Return a file's text, with LF line endings and no byte order mark.

    Invalid UTF-8 is decoded as U+FFFD. Return "" if the file cannot be read.
    """
    try:
        return path.read_bytes().decode("utf-8-sig", "replace").replace("\r\n", "\n")
    except OSError:
        return ""


def absence(name: str) -> str:
    """Return a sentence that explains why this name matches neither a lab nor a copy of one."""
    folder = Path(name).resolve()
    if not name or not folder.exists():
        return f"There is no lab {name}, and no folder of that name."
    if not folder.is_dir():
        return f"{name} is a file, not a folder with a copy of a lab."
    if above := next(filter(is_lab, folder.parents), None):
        return f"{name} is inside {above.name}. Name that folder instead."
    return f"{name} is not a copy of a lab: it has no manage.py with a lab/settings.py."


def in_practice(folder: Path) -> bool:
    """Return whether this folder is in practice/, which is beside labs/ or in LAB_STATE_DIR."""
    above = folder.absolute().parent
    if above.name != PRACTICE:
        return False
    kept = os.environ.get("LAB_STATE_DIR")
    is_kept = bool(kept) and above.parent.resolve() == Path(str(kept)).resolve()
    return is_kept or (above.parent / MANIFEST).is_file()


def own_number(folder: Path) -> str:
    """Return the number in a folder's name ("03" for 03_cookie_cart), or a copy's name ("mine").

    Cookies ignore ports, so all labs on one host share a cookie jar. To keep the cookies of
    different labs apart, each lab's cookie names contain this text between underscores. It
    therefore consists of letters, digits and hyphens only, and is different for every folder of a
    checkout. A checksum is added if the name is long or contains other characters, or if the folder
    is not in the checkout's root: "a_b" becomes "ab-28cb39ea". An exercise in practice/ gets
    "practice-" and its name.
    """
    name = folder.name
    if in_practice(folder) and re.fullmatch(f"[a-z0-9-]{{1,{LONGEST}}}", name):
        return f"{PRACTICE}-{name}"
    if digits := re.match(r"([0-9]{2})_", name):
        return digits[1]
    beside = (folder.parent / MANIFEST).is_file()
    safe = re.sub(r"[^A-Za-z0-9-]+", "", name)[:LONGEST]
    if safe == name and beside and not re.fullmatch("[0-9]{2}", name):
        return name
    checksum = zlib.crc32(os.fsencode(name if beside else folder))
    return f"{safe}-{checksum:08x}".lstrip("-")


def database_name(number: str) -> str:
    """Return the name of a lab's database on a server, such as "lab_04"."""
    return f"lab_{number.replace('-', '_')}"


def copy_port(folder: Path) -> int:
    """Return a copy's default port, 8200 to 8899; copies in the same folder have different ports.

    A copy's port is derived from its name. If two copies would get the same port, the older one
    keeps it.
    """
    copies = {folder: 0.0}
    with contextlib.suppress(OSError):
        for path in filter(is_lab, folder.parent.iterdir()):
            copies[path] = (path / "manage.py").stat().st_ctime
    taken: set[int] = set()
    for path in sorted(copies, key=lambda path: (copies[path], path.name)):
        port = zlib.crc32(own_number(path).encode()) % PORTS
        while port in taken and len(taken) < PORTS:
            port = (port + 1) % PORTS
        taken.add(port)
        if path == folder:
            break
    return FIRST_PORT + port


def state_home(root: Path) -> Path:
    """Return the state folder of a checkout: .lab, or the folder named in LAB_STATE_DIR.

    LAB_STATE_DIR is for checkouts in which the user has no write permission.
    """
    return Path(os.environ.get("LAB_STATE_DIR") or root / ".lab")


def state_dir(folder: Path) -> Path:
    """Return this lab's state folder (see `state_path`); create it if it is missing.

    Raises CatalogError, with advice, if the user has no permission to write to the folder.
    """
    return writable(state_path(folder))


def writable(path: Path) -> Path:
    """Create this part of a state folder if it is missing, and return its path.

    Raises CatalogError, with advice, if the user does not have permission to write to the folder or
    a file in it.
    """
    try:
        make_private_folder(path)
        for entry in (path, *path.iterdir()):
            # A temporary file of another process may have been deleted in the meantime.
            if not os.access(entry, os.R_OK | os.W_OK) and entry.exists():
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(entry))
    except OSError as error:
        where = error.filename or path
        raise CatalogError(NOT_WRITABLE.format(path=where, reason=error.strerror)) from None
    return path


def state_path(folder: Path) -> Path:
    """Return the path of a lab's state folder, .lab/NN beside labs/.

    The environment variable LAB_STATE_DIR replaces the folder .lab; see `state_home`.
    """
    above = folder.parent
    is_below = (above / MANIFEST.name).is_file() or in_practice(folder)
    home = above.parent if is_below else above
    return state_home(home) / own_number(folder)
