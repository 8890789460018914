"""Reads labs/compare.toml: the tables of differences, and what follows from them."""

import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from labkit.catalog import Catalog, CatalogError

MANIFEST = Path("labs", "compare.toml")


@dataclass(frozen=True)
class Variant:
    """One column: a way to do the same thing."""

    id: str  # "cookie"
    title: str  # as its column is headed
    lab: str  # the number of the lab that has it


@dataclass(frozen=True)
class Cell:
    """One answer of one variant, and a sentence on why, where that does not go without saying."""

    answer: str
    why: str = ""


@dataclass(frozen=True)
class Row:
    """One question, and a cell for each variant. A function of the same name asks it."""

    id: str
    text: str
    cells: dict[str, Cell]  # variant -> its answer

    @property
    def agrees(self) -> bool:
        """Whether all variants answer alike."""
        return len({cell.answer for cell in self.cells.values()}) == 1


@dataclass(frozen=True)
class Table:
    """One table: its variants are the columns, its rows the questions."""

    id: str
    title: str
    about: str
    variants: tuple[Variant, ...]
    rows: tuple[Row, ...]

    def row(self, id_: str) -> Row:
        """The row of this name. Raises CatalogError."""
        return _named(id_, self.rows, f"The table {self.id} has no question {id_}")

    def variant(self, id_: str) -> Variant:
        """The variant of this name. Raises CatalogError."""
        return _named(id_, self.variants, f"The table {self.id} has no variant {id_}")

    def variant_of(self, lab: str) -> Variant:
        """The one variant that the lab of this number has. Raises CatalogError."""
        found = [variant for variant in self.variants if variant.lab == lab]
        if len(found) != 1:
            raise CatalogError(f"The table {self.id} has {len(found)} variants in lab {lab}.")
        return found[0]

    @property
    def labs(self) -> tuple[str, ...]:
        """The numbers of its labs, each once."""
        return tuple(dict.fromkeys(variant.lab for variant in self.variants))


@dataclass(frozen=True)
class Conclusion:
    """A sentence of advice, and what supports it."""

    sentence: str
    cells: tuple[str, ...]  # "carts/no_cookies": a row; "carts/two_tabs/session": one cell of it
    figures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tables:
    """All tables of one checkout."""

    catalog: Catalog = field(repr=False)

    @cached_property
    def _data(self) -> dict[str, Any]:
        path = self.catalog.root / MANIFEST
        try:
            return tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise CatalogError(f"{path} cannot be read: {error}.") from None

    @cached_property
    def all(self) -> tuple[Table, ...]:
        """The tables, in the order of the file. Raises CatalogError where it is not right."""
        try:
            return tuple(_table(entry) for entry in self._data["table"])
        except (KeyError, TypeError) as error:
            path = self.catalog.root / MANIFEST
            raise CatalogError(f"An entry of {path} is not right: {error}.") from None

    @cached_property
    def conclusions(self) -> tuple[Conclusion, ...]:
        """When which, in sentences."""
        return tuple(
            Conclusion(c["sentence"], tuple(c["cells"]), tuple(c.get("figures", ())))
            for c in self._data.get("conclusion", [])
        )

    def find(self, id_: str) -> Table:
        """The table of this name. Raises CatalogError, naming those there are."""
        known = ", ".join(table.id for table in self.all)
        return _named(id_, self.all, f"There is no table {id_}. The tables are {known}")

    def supports(self, reference: str) -> tuple[Table, Row, Variant | None]:
        """What a conclusion refers to: "table/row" or "table/row/variant". Raises CatalogError."""
        table_id, _, rest = reference.partition("/")
        row_id, _, variant_id = rest.partition("/")
        table = self.find(table_id)
        return table, table.row(row_id), table.variant(variant_id) if variant_id else None


def _named(id_: str, things: Any, otherwise: str) -> Any:
    for thing in things:
        if thing.id == id_:
            return thing
    raise CatalogError(f"{otherwise}.")


def _table(entry: dict[str, Any]) -> Table:
    rows = tuple(
        Row(
            row["id"],
            row["text"],
            {
                variant: Cell(answer, row.get("why", {}).get(variant, ""))
                for variant, answer in row["answer"].items()
            },
        )
        for row in entry["question"]
    )
    variants = tuple(Variant(**variant) for variant in entry["variant"])
    return Table(entry["id"], entry["title"], entry["about"], variants, rows)
