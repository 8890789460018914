"""A table as one page of HTML that opens offline, each cell a link to how it was asked."""

import html as markup
from collections.abc import Callable, Iterator
from pathlib import Path

from django.utils.safestring import mark_safe

from labkit.compare.probe_source import source
from labkit.compare.test_runner import CellResult, TableResult
from labkit.measure import report
from labkit.render import standalone
from labkit.render.filters import prose, visible
from labkit.render.highlight import highlight
from labkit.render.templates import render_template
from labkit.tables import Conclusion, Question, Table, Tables, Variant

MADE_BY = "lab compare, of labkit"
NOT_ASKED = "Not asked on this machine yet: this is what the table says."

# Where the page of another table is, without a fragment; "" where there is none.
Address = Callable[[Table], str]


def html(tables: Tables, table: Table, answers: TableResult) -> str:
    """The whole page."""
    context = {"body": mark_safe("\n".join(body(tables, table, answers)))}
    style = Path(__file__).with_name("page.css")
    return standalone.render_page("render/table.html", table.title, MADE_BY, [style], context)


def escape(text: str) -> str:
    """Return text as HTML."""
    return markup.escape(visible(text))


def python(text: str) -> str:
    """Return code in Python as HTML, coloured."""
    lines = highlight(text, ".py")
    return "\n".join(render_template("render/spans.html", {"spans": line}) for line in lines)


def body(
    tables: Tables, table: Table, answers: TableResult | None, address: Address | None = None
) -> Iterator[str]:
    """What is between <body> and </body>, for a page of another kind to take in.

    Without answers the cells are those of the manifest.
    """
    yield '<a class="skip" href="#main">Skip to the table</a>'
    yield "<header>"
    yield f"<h1>{escape(table.title)}</h1>"
    yield f"<p>{prose(table.about)}</p>"
    yield f"<p>{escape(verdict(table, answers))}</p>"
    yield '<nav aria-label="Parts"><ul><li><a href="#answers">Answers</a></li>'
    yield '<li><a href="#asked">How each was asked</a></li>'
    costs = list(report.section(tables.catalog.root, table.id))
    if costs:
        yield '<li><a href="#measured">What each one costs</a></li>'
    yield '<li><a href="#conclusions">Which one, then?</a></li></ul></nav>'
    yield "</header>"
    yield '<main id="main" tabindex="-1">'
    yield from answered(table, answers)
    yield from asked(table, answers)
    yield from costs
    yield from concluded(tables, table, address)
    yield "</main>"


def verdict(table: Table, answers: TableResult | None) -> str:
    """How it came out, with what, and when."""
    if answers is None:
        return NOT_ASKED
    wrong = sum(not cell.holds for cell in answers.cells)
    count = len(answers.cells)
    told = f"All {count} cells were seen to be so."
    if wrong:
        told = f"Of {count} cells {wrong} {'is' if wrong == 1 else 'are'} not as the table says."
    return " ".join([told, answers.stamp, *answers.complaints])


def answered(table: Table, answers: TableResult | None) -> Iterator[str]:
    """The table itself."""
    yield '<section aria-labelledby="answers">'
    yield '<h2 id="answers" tabindex="-1">Answers</h2>'
    yield "<p>Each answer leads to the function that found it out. "
    yield "Where all answer alike the row is quiet; where they differ the answers are bold.</p>"
    yield '<div class="scroll" role="region" tabindex="0" aria-label="Table of answers">'
    # The roles are said, since on a phone a row is a block and no longer a row by itself.
    yield f'<table role="table" class="columns-{len(table.variants)}"><thead role="rowgroup">'
    yield '<tr role="row"><th role="columnheader" scope="col">Question</th>'
    for variant in table.variants:
        yield f'<th role="columnheader" scope="col">{escape(variant.title)} '
        yield f'<span class="quiet">lab {escape(variant.lab)}</span></th>'
    yield '</tr></thead><tbody role="rowgroup">'
    for row in table.questions:
        yield f'<tr role="row" class="{"same" if row.agrees else "differs"}">'
        yield f'<th role="rowheader" scope="row">{escape(row.text)}</th>'
        for variant in table.variants:
            yield _cell(row, variant, answers.cell(row.id, variant.id) if answers else None)
        yield "</tr>"
    yield "</tbody></table></div>"
    yield "</section>"


def _cell(row: Question, variant: Variant, seen: CellResult | None) -> str:
    cell = row.cells[variant.id]
    wrong = seen is not None and not seen.holds
    mark = '<span aria-hidden="true">✗ </span>' if wrong else ""
    shown = escape(seen.shown if seen else cell.answer)
    why = f'<span class="why">{prose(cell.why)}</span>' if cell.why else ""
    kind = ' class="wrong"' if wrong else ""
    of = f'<span class="of" aria-hidden="true">{escape(variant.title)}</span>'
    link = f'<a href="#ask-{row.id}">{mark}{shown}</a>'
    return f'<td role="cell"{kind}>{of}{link}{why}</td>'


def asked(table: Table, answers: TableResult | None) -> Iterator[str]:
    """For each question the function that asks it, and the test for each variant."""
    yield '<section aria-labelledby="asked">'
    yield '<h2 id="asked" tabindex="-1">How each was asked</h2>'
    for row in table.questions:
        yield f'<article aria-labelledby="ask-{row.id}">'
        yield f'<h3 id="ask-{row.id}" tabindex="-1">{escape(row.text)}</h3>'
        yield '<pre role="region" tabindex="0" '
        yield f'aria-label="{row.id}"><code>{python(source(table.id, row.id))}</code></pre>'
        yield "<dl>"
        for variant in table.variants:
            seen = answers.cell(row.id, variant.id) if answers else None
            test = seen.test if seen else ""
            told = f"<code>{escape(test)}</code>" if test else "not asked"
            if seen and seen.message and not seen.holds:
                told += f'<span class="why">{escape(seen.message)}</span>'
            yield f"<div><dt>{escape(variant.title)}</dt><dd>{told}</dd></div>"
        yield "</dl></article>"
    yield "</section>"


def concluded(tables: Tables, table: Table, address: Address | None) -> Iterator[str]:
    """The conclusions, each with the questions that support it."""
    yield '<section aria-labelledby="conclusions">'
    yield '<h2 id="conclusions" tabindex="-1">Which one, then?</h2><ol>'
    for conclusion in tables.conclusions:
        support = "; ".join(_support(tables, table, conclusion, address))
        yield f'<li>{prose(conclusion.sentence)} <span class="why">{support}</span></li>'
    yield "</ol></section>"


def _support(
    tables: Tables, here: Table, conclusion: Conclusion, address: Address | None
) -> Iterator[str]:
    for reference in conclusion.cells:
        table, row, variant = tables.resolve(reference)
        named = f"{row.text} ({variant.title}: {row.cells[variant.id].answer})" if variant else ""
        place = "" if table == here else address(table) if address else None
        text = f"{'' if table == here else f'{table.id}: '}{named or row.text}"
        link = f'<a href="{escape(place)}#ask-{row.id}">' if place is not None else ""
        yield f"{link}{escape(text)}{'</a>' if link else ''}"
    for reference in conclusion.figures:
        name, _, chart = reference.partition("/")
        drawn = report.anchor(tables.catalog.root, reference)
        if drawn is None:
            command = f"<code>lab compare {escape(name)} --measure</code>"
            yield f"the chart “{escape(chart)}” of {command}"
            continue
        title, place = drawn
        link = f'<a href="#{place}">' if name == here.id else f"{escape(name)}: "
        yield f"{link}{escape(title)}{'</a>' if name == here.id else ''}"
