"""Pages for what `lab compare` shows: tables of tested answers, and conclusions from them."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from labkit.compare.html_page import Support, page_cells, page_conclusions
from labkit.compare.probe_source import FOLDER, source
from labkit.compare.table_runner import read_last_result
from labkit.comparison_tables import Question, Table, Tables, Variant
from labkit.console import background_table_run, supervisor
from labkit.console.diff_pages import show_catalog_errors
from labkit.measure import report
from labkit.render.highlight import highlight


@require_safe
@show_catalog_errors
def index(request: HttpRequest) -> HttpResponse:
    """Show all conclusions with the answers and charts that support them, and list the tables."""
    tables = Tables(supervisor().checkout)
    context = {
        "tables": [(table, read_last_result(tables.catalog, table)) for table in tables.all],
        "conclusions": _conclusions(tables),
        "here": "comparisons",
    }
    return render(request, "comparisons.html", context)


@require_safe
@show_catalog_errors
def comparison(request: HttpRequest, name: str) -> HttpResponse:
    """Show a table: the answers of each variant, the measurements, and the conclusions."""
    tables, table = _find_table(name)
    result = read_last_result(tables.catalog, table)
    context = {
        "table": table,
        "result": result,
        "run": background_table_run.last_run(),
        "rows": [
            {"question": question, "cells": page_cells(table, question, result, _question_url)}
            for question in table.questions
        ],
        "measured": report.read_measured(tables.catalog.root, table.id, drawn=True),
        "conclusions": [
            (sentence, supports)
            for sentence, supports in _conclusions(tables)
            if any(support.table == table for support in supports)
        ],
        "here": "comparisons",
    }
    return render(request, "comparison.html", context)


@require_POST
@show_catalog_errors
def start_run(request: HttpRequest, name: str) -> HttpResponse:
    """Start the tests of this table, and redirect to its page, which shows their progress."""
    tables, table = _find_table(name)
    background_table_run.start(tables.catalog, table)
    return redirect("comparison", table.id)


@require_safe
@show_catalog_errors
def question(request: HttpRequest, name: str, id_: str) -> HttpResponse:
    """Show a question, the answer of each variant with its reason, and the probe's source code."""
    tables, table = _find_table(name)
    at = next((at for at, question in enumerate(table.questions) if question.id == id_), None)
    if at is None:
        raise Http404(f"no question {id_} in {name}")
    question = table.questions[at]
    result = read_last_result(tables.catalog, table)
    probes = table.probes.relative_to(tables.catalog.root).parent if table.probes else FOLDER
    context: dict[str, Any] = {
        "table": table,
        "question": question,
        "number": at + 1,
        "cells": page_cells(table, question, result, _question_url),
        "lines": highlight(source(table, question.id), ".py"),
        "folder": probes,
        "previous": table.questions[at - 1] if at else None,
        "next": table.questions[at + 1] if at + 1 < len(table.questions) else None,
        "served": {lab.number for lab in supervisor().labs},
        "here": "comparisons",
    }
    return render(request, "question.html", context)


def _find_table(name: str) -> tuple[Tables, Table]:
    """Return all tables and the table with this name. Raises Http404 if there is none."""
    tables = Tables(supervisor().checkout)
    table = next((table for table in tables.all if table.id == name), None)
    if table is None:
        raise Http404(f"no table {name}")
    return tables, table


def _question_url(table: Table, question: Question, variant: Variant | None) -> str:
    url = reverse("question", args=[table.id, question.id])
    return f"{url}#{variant.id}" if variant else url


def _conclusions(tables: Tables) -> list[tuple[str, list[Support]]]:
    """Return each conclusion with the answers and charts that support it. Raises CatalogError."""
    results = {table.id: read_last_result(tables.catalog, table) for table in tables.all}

    def find_chart(table: Table, chart: str) -> Support | None:
        """Return a chart of results that were measured here or come with the labs."""
        measured = report.read_measured(tables.catalog.root, table.id, drawn=True)
        if found := report.find_chart(measured, chart):
            url = f"{reverse('comparison', args=[table.id])}#{found.anchor}"
            return Support(table, found.title, url)
        return None

    return page_conclusions(tables, results, _question_url, find_chart)
