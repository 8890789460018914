"""What tells cookies, sessions and engines apart: `lab compare` as pages of the console."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from labkit.compare import Conclusion, Question, Table, Tables, Variant
from labkit.compare.probe_source import FOLDER, source
from labkit.compare.test_runner import CellResult, TableResult, read_last_result
from labkit.console import current, table_run
from labkit.console.diff_pages import told
from labkit.console.measure_pages import measurements
from labkit.render.highlight import highlight


@dataclass(frozen=True)
class Shown:
    """One cell as it stands on a page: what a test saw here, else what the table says."""

    variant: Variant
    answer: str
    why: str
    seen: CellResult | None  # None where this cell, as it is now, was not asked on this machine

    @property
    def state(self) -> str:
        """Whether it "holds", "fails", or is "unasked"."""
        if self.seen is None:
            return "unasked"
        return "holds" if self.seen.holds else "fails"


@dataclass(frozen=True)
class Support:
    """What a conclusion rests on, and where that is shown."""

    table: Table
    words: str
    address: str
    cells: list[Shown]  # none for a figure


@require_safe
@told
def index(request: HttpRequest) -> HttpResponse:
    """When which, each sentence with what supports it; and the tables."""
    tables = Tables(current().checkout)
    context = {
        "tables": [(table, read_last_result(tables.catalog, table)) for table in tables.all],
        "conclusions": _conclusions(tables),
        "here": "comparisons",
    }
    return render(request, "comparisons.html", context)


@require_safe
@told
def comparison(request: HttpRequest, name: str) -> HttpResponse:
    """One table: questions, the answers of each variant, what was measured, what follows."""
    tables, table = _table(name)
    answers = read_last_result(tables.catalog, table)
    context = {
        "table": table,
        "answers": answers,
        "asking": table_run.last_asked(),
        "rows": [(row, _cells(table, row, answers)) for row in table.questions],
        "measurements": measurements(tables.catalog, table),
        "conclusions": [
            (sentence, supports)
            for sentence, supports in _conclusions(tables)
            if any(support.table == table for support in supports)
        ],
        "here": "comparisons",
    }
    return render(request, "comparison.html", context)


@require_POST
@told
def ask(request: HttpRequest, name: str) -> HttpResponse:
    """Have this table asked now; its page says how far that is."""
    tables, table = _table(name)
    table_run.begin(tables.catalog, table)
    return redirect("comparison", table.id)


@require_safe
@told
def question(request: HttpRequest, name: str, id_: str) -> HttpResponse:
    """One question: what each variant answers and why, and the function that asks it."""
    tables, table = _table(name)
    at = next((at for at, row in enumerate(table.questions) if row.id == id_), None)
    if at is None:
        raise Http404(f"no question {id_} in {name}")
    row = table.questions[at]
    context = {
        "table": table,
        "row": row,
        "number": at + 1,
        "cells": _cells(table, row, read_last_result(tables.catalog, table)),
        "lines": highlight(source(table.id, row.id), ".py"),
        "folder": FOLDER,
        "previous": table.questions[at - 1] if at else None,
        "next": table.questions[at + 1] if at + 1 < len(table.questions) else None,
        "served": {served.number for served in current().labs},
        "here": "comparisons",
    }
    return render(request, "question.html", context)


def _table(name: str) -> tuple[Tables, Table]:
    """The tables, and the one of this name. Raises Http404."""
    tables = Tables(current().checkout)
    table = next((table for table in tables.all if table.id == name), None)
    if table is None:
        raise Http404(f"no table {name}")
    return tables, table


def _cells(table: Table, row: Question, answers: TableResult | None) -> list[Shown]:
    seen = {(cell.question, cell.variant): cell for cell in answers.cells} if answers else {}
    found = []
    for variant in table.variants:
        cell = row.cells[variant.id]
        here = seen.get((row.id, variant.id))
        if here and here.expected != cell.answer:  # the table was changed after that
            here = None
        found.append(Shown(variant, here.shown if here else cell.answer, cell.why, here))
    return found


def _conclusions(tables: Tables) -> list[tuple[str, list[Support]]]:
    """All conclusions, each with the cells and figures that it names. Raises CatalogError."""
    answers = {table.id: read_last_result(tables.catalog, table) for table in tables.all}
    return [
        (one.sentence, [*_questions(tables, one, answers), *_pictures(tables, one)])
        for one in tables.conclusions
    ]


def _questions(
    tables: Tables, conclusion: Conclusion, answers: dict[str, TableResult | None]
) -> Iterator[Support]:
    for reference in conclusion.cells:
        table, row, variant = tables.resolve(reference)
        cells = _cells(table, row, answers[table.id])
        named = [cell for cell in cells if variant in {None, cell.variant}]
        address = reverse("question", args=[table.id, row.id])
        yield Support(table, row.text, f"{address}#{variant.id}" if variant else address, named)


def _pictures(tables: Tables, conclusion: Conclusion) -> Iterator[Support]:
    """Those that are drawn: on this machine, or committed."""
    for reference in conclusion.figures:
        name, _, chart = reference.partition("/")
        table = tables.find(name)
        charts = [p for m in measurements(tables.catalog, table) for p in m.pictures]
        for picture in [picture for picture in charts if picture.id == chart][:1]:
            address = f"{reverse('comparison', args=[table.id])}#{picture.anchor}"
            yield Support(table, picture.title, address, [])
