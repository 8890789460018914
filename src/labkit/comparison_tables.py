"""Read the tables in labs/compare.toml, which compare variants, and their conclusions."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from labkit.catalog import Catalog, CatalogError
from labkit.sources import Source, find_sources, load_sources

MANIFEST = Path("labs", "compare.toml")
# The tests behind the answers, in every lab that a table covers.
TESTS = Path("tests", "test_compared.py")


@dataclass(frozen=True)
class Variant:
    """A column of a table: one way to do the same thing."""

    id: str  # "cookie"
    title: str  # the heading of its column
    lab: str  # its lab's number
    prefix: str = "/"  # the beginning of the URLs of its pages
    environ: dict[str, str] = field(default_factory=dict, hash=False)  # set for its lab


@dataclass(frozen=True)
class Cell:
    """The answer to one question for one variant, with the reason if it is not obvious."""

    answer: str
    why: str = ""  # one or two sentences
    sources: tuple[Source, ...] = ()  # the sources in which the reason can be checked


@dataclass(frozen=True)
class Question:
    """A row of a table: a question with a cell for each variant. Its probe has the same ID."""

    id: str
    text: str
    cells: dict[str, Cell]  # {ID of a variant: its cell}

    @property
    def agrees(self) -> bool:
        """Return whether the answer is the same for all variants."""
        return len({cell.answer for cell in self.cells.values()}) == 1


@dataclass(frozen=True)
class Table:
    """A table whose columns are variants and whose rows are questions."""

    id: str
    title: str
    about: str
    variants: tuple[Variant, ...]
    questions: tuple[Question, ...]
    probes: Path | None = None  # the file with the probes, if it is not in labkit.compare.probes

    def question(self, id_: str) -> Question:
        """Return the question with this ID. Raises CatalogError if there is none."""
        return _find(id_, self.questions, f"The table {self.id} has no question {id_}")

    def variant(self, id_: str) -> Variant:
        """Return the variant with this ID. Raises CatalogError if there is none."""
        return _find(id_, self.variants, f"The table {self.id} has no variant {id_}")

    def variant_of(self, lab: str) -> Variant:
        """Return a lab's only variant. Raises CatalogError if the lab does not have exactly one."""
        found = [variant for variant in self.variants if variant.lab == lab]
        if len(found) != 1:
            raise CatalogError(f"The table {self.id} has {len(found)} variants in lab {lab}.")
        return found[0]

    @property
    def labs(self) -> tuple[str, ...]:
        """Return the numbers of the table's labs, without duplicates."""
        return tuple(dict.fromkeys(variant.lab for variant in self.variants))


@dataclass(frozen=True)
class Conclusion:
    """A sentence of advice, with the cells and charts that support the advice."""

    sentence: str
    cells: tuple[str, ...]  # "carts/replay" (all its cells) or "carts/two_tabs/session" (one cell)
    figures: tuple[str, ...] = ()  # "carts/up": a chart of `lab compare carts --measure`


@dataclass(frozen=True)
class Tables:
    """All tables of a checkout."""

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
        """Return the tables, in the order of the file.

        Raises CatalogError if the file is malformed or a reason has no source.
        """
        root = self.catalog.root
        try:
            known = load_sources(root)
            return tuple(_table(entry, root, known) for entry in self._data["table"])
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise CatalogError(f"An entry of {root / MANIFEST} is malformed: {error}.") from None

    @cached_property
    def conclusions(self) -> tuple[Conclusion, ...]:
        """Return the conclusions from all tables, in the order of the file."""
        return tuple(
            Conclusion(c["sentence"], tuple(c["cells"]), tuple(c.get("figures", ())))
            for c in self._data.get("conclusion", [])
        )

    def find(self, id_: str) -> Table:
        """Return the table with this ID. Raises CatalogError if there is none."""
        known = ", ".join(table.id for table in self.all)
        return _find(id_, self.all, f"There is no table {id_}. The tables are {known}")

    def resolve(self, reference: str) -> tuple[Table, Question, Variant | None]:
        """Resolve "table/question" or "table/question/variant". Raises CatalogError."""
        table_id, _, rest = reference.partition("/")
        question_id, _, variant_id = rest.partition("/")
        table = self.find(table_id)
        return table, table.question(question_id), table.variant(variant_id) if variant_id else None


def _find(id_: str, things: Any, otherwise: str) -> Any:
    for thing in things:
        if thing.id == id_:
            return thing
    raise CatalogError(f"{otherwise}.")


def _table(entry: dict[str, Any], root: Path, known: Mapping[str, Source]) -> Table:
    questions = []
    for one in entry["question"]:
        answers, reasons, sources = one["answer"], one.get("why", {}), one.get("sources", {})
        if unknown := (set(reasons) | set(sources)) - set(answers):
            raise KeyError(f"{one['id']} has a reason, but no answer, for {', '.join(unknown)}")
        cells = {id_: Cell(answer) for id_, answer in answers.items()}
        for id_, why in reasons.items():
            of = f"{entry['id']}/{one['id']}/{id_}"
            cells[id_] = Cell(answers[id_], why, find_sources(known, sources.get(id_), of))
        questions.append(Question(one["id"], one["text"], cells))
    variants = tuple(Variant(**variant) for variant in entry["variant"])
    probes = root / entry["probes"] if "probes" in entry else None
    return Table(entry["id"], entry["title"], entry["about"], variants, tuple(questions), probes)
