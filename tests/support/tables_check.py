"""Check labs/compare.toml: each question has cells and a probe, and each conclusion has a cell."""

from collections.abc import Iterator, Sequence

from labkit.catalog import CatalogError
from labkit.compare.probe_source import probe_names
from labkit.comparison_tables import TESTS, Table, Tables


def table_complaints(tables: Tables) -> Iterator[str]:
    """Yield a sentence for each fault in the manifest, the probes and the labs' tests."""
    for table in tables.all:
        yield from _complaints_about(tables, table, probe_names(table))
    for conclusion in tables.conclusions:
        if not conclusion.cells:
            yield f"nothing supports the sentence {conclusion.sentence!r}"
        for reference in conclusion.cells:
            try:
                tables.resolve(reference)
            except CatalogError as error:
                yield f"a conclusion refers to {reference}: {error}"


def _complaints_about(tables: Tables, table: Table, probes: Sequence[str]) -> Iterator[str]:
    columns = [variant.id for variant in table.variants]
    ids = [question.id for question in table.questions]
    for question in table.questions:
        if (cells := list(question.cells)) != columns:
            yield f"{table.id}/{question.id} has answers for {cells}, but not for {columns}"
    yield from (f"{table.id}/{id_} is defined twice" for id_ in set(ids) if ids.count(id_) > 1)
    yield from (f"{table.id}/{id_} has no probe" for id_ in ids if id_ not in probes)
    yield from (f"{table.id} has no question {name}" for name in probes if name not in ids)
    for number in table.labs:
        tests = tables.catalog.find(number).folder / TESTS
        if not tests.exists() or f'check_answer("{table.id}", ' not in tests.read_text("utf-8"):
            yield f"{table.id}: {TESTS.as_posix()} of lab {number} does not run its probes"
