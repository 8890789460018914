"""Prepare a table for the templates of the console and of `lab compare --html`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from labkit.compare.probe_source import source
from labkit.compare.table_runner import CellResult, TableResult
from labkit.comparison_tables import Question, Table, Tables, Variant
from labkit.measure import report
from labkit.render import standalone_page
from labkit.render.highlight import highlight
from labkit.sources import Source

MADE_BY = "lab compare, of labkit"
STYLE = Path(__file__).with_name("page.css")

# Returns the URL of a question, or of its answer for one variant; "" if there is none.
FindUrl = Callable[[Table, Question, Variant | None], str]


@dataclass(frozen=True)
class PageCell:
    """One answer: the one that a test found, or the table's if no test has run."""

    variant: Variant
    answer: str
    why: str
    sources: tuple[Source, ...]  # of the reason
    # None if the current version of this cell's test has not run on this machine
    result: CellResult | None
    url: str  # of the probe

    @property
    def state(self) -> str:
        """The state of the answer: "holds", "fails" or "unasked"."""
        if self.result is None:
            return "unasked"
        return "holds" if self.result.holds else "fails"


@dataclass(frozen=True)
class Support:
    """One reason for a conclusion: a question with its answers, or a chart."""

    table: Table
    text: str
    url: str  # "" if no page shows it
    cells: list[PageCell] = field(default_factory=list)
    undrawn: bool = False  # True for a chart that has no figures to draw


# Returns the chart with this ID as a Support, or None if the chart is not shown.
FindChart = Callable[[Table, str], Support | None]


def page_cells(
    table: Table, question: Question, result: TableResult | None, find_url: FindUrl
) -> list[PageCell]:
    """Return the answers to a question; results older than the table's last change are ignored."""
    by_variant = {c.variant: c for c in result.cells if c.question == question.id} if result else {}
    cells = []
    for variant in table.variants:
        declared = question.cells[variant.id]
        seen = by_variant.get(variant.id)
        if seen and seen.expected != declared.answer:
            seen = None
        answer = seen.shown if seen else declared.answer
        url = find_url(table, question, variant)
        cells.append(PageCell(variant, answer, declared.why, declared.sources, seen, url))
    return cells


def page_conclusions(
    tables: Tables,
    results: dict[str, TableResult | None],
    find_url: FindUrl,
    find_chart: FindChart,
) -> list[tuple[str, list[Support]]]:
    """Return each conclusion with its supporting answers and charts."""
    conclusions = []
    for conclusion in tables.conclusions:
        supports = []
        for reference in conclusion.cells:
            table, question, variant = tables.resolve(reference)
            cells = page_cells(table, question, results.get(table.id), find_url)
            named = [cell for cell in cells if variant in {None, cell.variant}]
            url = find_url(table, question, variant)
            supports.append(Support(table, question.text, url, named))
        for reference in conclusion.figures:
            name, _, chart = reference.partition("/")
            if found := find_chart(tables.find(name), chart):
                supports.append(found)
        conclusions.append((conclusion.sentence, supports))
    return conclusions


def verdict(table: Table, result: TableResult) -> str:
    """Return a sentence on how many answers were confirmed, with versions and date."""
    wrong = sum(not cell.holds for cell in result.cells)
    count = len(result.cells)
    sentence = f"All {count} answers confirmed."
    if wrong:
        sentence = f"{wrong} of {count} answers differ from the table."
    return " ".join([sentence, result.stamp, *result.complaints])


def html(tables: Tables, table: Table, result: TableResult) -> str:
    """Return a page that works offline: all of its links lead to parts of the page."""
    root = tables.catalog.root

    def find_url(other: Table, question: Question, variant: Variant | None) -> str:
        return f"#ask-{question.id}" if other == table else ""

    rows = [
        {
            "question": question,
            "cells": page_cells(table, question, result, find_url),
            "probe": highlight(source(table, question.id), ".py"),
        }
        for question in table.questions
    ]

    def find_chart(other: Table, chart: str) -> Support:
        found = report.find_chart(report.read_measured(root, other.id), chart)
        if found is None:
            return Support(other, chart, "", undrawn=True)
        return Support(other, found.title, f"#{found.anchor}" if other == table else "")

    context = {
        "table": table,
        "verdict": verdict(table, result),
        "rows": rows,
        "measured": report.read_measured(root, table.id),
        "conclusions": page_conclusions(tables, {table.id: result}, find_url, find_chart),
    }
    return standalone_page.render_page(
        "render/compare.html", table.title, MADE_BY, [STYLE], context
    )
