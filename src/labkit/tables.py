"""Reads labs/compare.toml: the tables of differences, and what follows from them."""

import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from labkit.catalog import Catalog, CatalogError

MANIFEST = Path("labs", "compare.toml")
TESTS = Path("tests", "test_compared.py")  # in each lab of a table


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
    figures: tuple[str, ...] = ()  # "carts/up": a chart of `lab compare carts --measure`


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

    def complaints(self, asked: Callable[[str], Sequence[str]]) -> Iterator[str]:
        """Yield a sentence for each fault of the manifest, the questions and the tests.

        asked: given a table's id, the names of the functions that ask its questions.
        """
        for table in self.all:
            yield from self._complaints_of(table, asked(table.id))
        for conclusion in self.conclusions:
            if not conclusion.cells:
                yield f"nothing supports the sentence {conclusion.sentence!r}"
            for reference in conclusion.cells:
                try:
                    self.supports(reference)
                except CatalogError as error:
                    yield f"a conclusion refers to {reference}: {error}"

    def _complaints_of(self, table: Table, asked: Sequence[str]) -> Iterator[str]:
        columns = [variant.id for variant in table.variants]
        rows = [row.id for row in table.rows]
        for row in table.rows:
            if list(row.cells) != columns:
                yield f"{table.id}/{row.id} answers for {list(row.cells)}, and not for {columns}"
        yield from (
            f"{table.id}/{row} stands there twice" for row in set(rows) if rows.count(row) > 1
        )
        yield from (f"{table.id}/{row} is asked by no function" for row in rows if row not in asked)
        yield from (f"{table.id} has no row for {name}" for name in asked if name not in rows)
        for number in table.labs:
            tests = self.catalog.find(number).folder / TESTS
            if not tests.exists() or f'agree("{table.id}", ' not in tests.read_text("utf-8"):
                yield f"{table.id}: {TESTS.as_posix()} of lab {number} does not ask its questions"


def _named(id_: str, things: Any, otherwise: str) -> Any:
    for thing in things:
        if thing.id == id_:
            return thing
    raise CatalogError(f"{otherwise}.")


def _table(entry: dict[str, Any]) -> Table:
    for row in entry["question"]:
        if nowhere := set(row.get("why", {})) - set(row["answer"]):
            raise KeyError(f"{row['id']} says why, but not what, for {', '.join(nowhere)}")
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
