"""Reads labs/labs.toml, the manifest that says which labs there are and which are twins."""

import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

MANIFEST = Path("labs", "labs.toml")


class CatalogError(Exception):
    """The manifest is missing or wrong, or names no such lab. The message is one plain sentence."""


@dataclass(frozen=True)
class Lab:
    """One lab: a Django project in a folder of its own."""

    number: str  # two digits, "03"; a copy outside labs/ has its folder's name instead
    slug: str
    title: str
    idea: str
    folder: Path
    database: bool  # a lab whose state is all in cookies has none
    redis: bool = False  # whether it can keep its sessions in Redis
    twin: str | None = None
    contract: str | None = None
    renews: str | None = None  # a cart: "item" or "cart", what a write gives its time anew

    @property
    def port(self) -> int:
        """The port this lab runs on unless told otherwise: 8000 and the lab's number."""
        return 8000 + int(self.number)


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
            raise CatalogError(
                f"An entry of {self.root / MANIFEST} is not right: {error}."
            ) from None

    @cached_property
    def twins(self) -> tuple[Twins, ...]:
        """All pairs of twins."""
        return tuple(
            Twins(tuple(entry["labs"]), entry["lines"], entry["differs_in"])
            for entry in self._data["twins"]
        )

    def find(self, name: str) -> Lab:
        """The lab called `name`: "3", "03", "cookie_cart", "03_cookie_cart" or a path ending so.

        Raises CatalogError, naming the labs there are, where no lab is called that.
        """
        wanted = Path(name).name or name
        for lab in self.labs:
            names = {lab.number, lab.number.lstrip("0"), lab.slug, lab.folder.name}
            if wanted in names:
                return lab
        known = ", ".join(lab.number for lab in self.labs)
        raise CatalogError(f"There is no lab {name}. The labs are {known}; `lab list` tells more.")


def catalog() -> Catalog:
    """The manifest of the checkout around the current folder, else of the one labkit runs from.

    Raises CatalogError where there is neither.
    """
    here = Path.cwd()
    for root in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if (root / MANIFEST).is_file():
            return Catalog(root)
    raise CatalogError(
        "There is no labs/labs.toml here or above. Change into the folder that holds labs/."
    )
