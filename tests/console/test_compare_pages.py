"""The console's pages of `lab compare`: results, measurements and conclusions."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from elements import find, links, texts
from serving import alive, copy_of, serving, until

from labkit.catalog import Catalog
from labkit.compare.table_runner import CellResult, TableResult
from labkit.comparison_tables import Tables
from labkit.measure import report, results
from labkit.testing.accessibility import complaints_at_both_ends

STAMP = {
    "date": "2026-11-21",
    "machine": {"processor": "a <fast> one", "cores": "2", "memory": "4 GiB", "system": "Linux"},
    "versions": {"Python": "3.11.7"},
    "command": "lab compare carts --measure",
}
FIGURES = results.read(Path(__file__).parents[2] / report.MEASURED / "carts-sqlite.json")["figures"]
CHART = report.charts(FIGURES)["up"]
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 3"><style>*{fill:red}</style></svg>'
PAGES = {
    "which one": "/console/compare/",
    "carts": "/console/compare/carts/",
    "engines": "/console/compare/engines/",
    "question": "/console/compare/carts/question/two_tabs/",
    "question of five": "/console/compare/engines/question/two_processes/",
}


@pytest.fixture(scope="module")
def folder(checkout, tmp_path_factory):
    """A checkout without measurements."""
    folder = copy_of(checkout, tmp_path_factory.mktemp("compare"))
    shutil.rmtree(folder / "docs" / "measured", ignore_errors=True)
    return folder


@pytest.fixture(scope="module")
def tables(folder):
    return Tables(Catalog(folder))


@pytest.fixture(scope="module")
def house(folder):
    with serving(folder, "--only", "03") as house:
        yield house


@pytest.fixture(autouse=True)
def kept(folder):
    """.lab/compare, empty before each test."""
    path = folder / ".lab" / "compare"
    path.mkdir(parents=True, exist_ok=True)
    for file in path.iterdir():
        file.unlink()
    return path


def answers(table, *others):
    """Return results that agree with this table, except for `wrong`."""
    cells = {
        (row.id, id_): CellResult(
            row.id, id_, cell.answer, cell.answer, True, f"x.py::{id_}-{row.id}"
        )
        for row in table.questions
        for id_, cell in row.cells.items()
    }
    cells |= {(other.question, other.variant): other for other in others}
    at = "2026-11-20T10:17:03+00:00"
    return TableResult(table.id, at, "3.11.7", "5.2.8", ("SQLite 3.40.1",), tuple(cells.values()))


def keep(kept, found):
    (kept / f"{found.table}.json").write_text(json.dumps(asdict(found)))


def cells(page, question):
    """Return the cells of a row, as (state, answer)."""
    found = find(page, f"//tr[@id='{question}']/td")
    return [(cell.get("data-state"), cell.findtext(".//*[@data-answer]")) for cell in found]


def result_of(page, table=""):
    """Return the state of the table's result on this page: "holds", "fails" or "none"."""
    where = f"[@data-table='{table}']" if table else ""
    (found,) = find(page, f"//*[@data-result]{where}/@data-result")
    return found


# The tables


def test_where_a_table_was_never_asked_it_says_so_and_shows_what_it_declares(house, tables):
    for table in tables.all:
        page = house.page(f"/console/compare/{table.id}/")
        assert result_of(page) == "none"
        assert texts(page, "//tbody//th") == [row.text for row in table.questions]
        for row in table.questions:
            declared = [("unasked", row.cells[v.id].answer) for v in table.variants]
            assert cells(page, row.id) == declared
            whys = [cell.why.replace("`", "") for cell in row.cells.values() if cell.why]
            assert texts(page, f"//tr[@id='{row.id}']//*[@class='why']") == whys


def test_the_last_answers_are_shown_with_their_date(house, tables, kept):
    table = tables.find("carts")
    keep(kept, answers(table))
    page = house.page("/console/compare/carts/")
    for part in ("2026-11-20 10:17 UTC", "Python 3.11.7", "Django 5.2.8", "SQLite 3.40.1"):
        assert part in texts(page, "//*[@data-result]")[0]
    assert result_of(page) == "holds"
    assert {state for row in table.questions for state, _ in cells(page, row.id)} == {"holds"}
    page = house.page("/console/compare/carts/question/two_tabs/")
    assert texts(page, "//*[@data-test]") == ["x.py::cookie-two_tabs", "x.py::session-two_tabs"]
    sources = [s.url for c in table.question("two_tabs").cells.values() for s in c.sources]
    assert find(page, "//dl//*[@class='quiet sources']/a/@href") == sources


def test_a_cell_that_fails_is_marked(house, tables, kept):
    table = tables.find("carts")
    declared = table.question("two_tabs").cells["session"].answer
    wrong = CellResult(
        "two_tabs", "session", declared, "<maybe>", False, "x.py::y", "assert 1 == 2"
    )
    keep(kept, answers(table, wrong))
    page = house.page("/console/compare/carts/")
    assert cells(page, "two_tabs")[1] == ("fails", wrong.shown)
    assert "<maybe>" in wrong.shown
    assert result_of(page) == result_of(house.page("/console/compare/"), "carts") == "fails"
    assert "assert 1 == 2" in house.page("/console/compare/carts/question/two_tabs/")


def test_what_was_seen_of_another_answer_is_not_shown(house, tables, kept):
    """The table changed after the run, so its tests have to be run again."""
    table = tables.find("carts")
    cell = table.question("two_tabs").cells["cookie"]
    before = CellResult(
        "two_tabs", "cookie", f"not {cell.answer}", f"not {cell.answer}", True, "x.py::y"
    )
    keep(kept, answers(table, before))
    assert cells(house.page("/console/compare/carts/"), "two_tabs")[0] == ("unasked", cell.answer)


@pytest.mark.parametrize("nonsense", ["", "[]", "{}", '{"cells": [{}]}', '{"cells": 3}'])
def test_nonsense_is_as_good_as_nothing(house, kept, nonsense):
    for name in ("carts", "carts-sqlite"):
        (kept / f"{name}.json").write_text(nonsense)
    page = house.page("/console/compare/carts/")
    assert result_of(page) == "none"
    assert find(page, "//*[@data-figures]/@data-figures") == ["none"]


def test_each_cell_leads_to_the_function_that_asks(house, tables):
    for table in tables.all:
        page = house.page(f"/console/compare/{table.id}/")
        for row in table.questions:
            address = f"/console/compare/{table.id}/question/{row.id}/"
            asked = house.page(address)
            assert row.id in texts(asked, "//*[@id='line-2' or @id='line-1']/*[@class='f']")
            assert row.text in texts(asked, "//h1")[0]
            names = [variant.id for variant in table.variants]
            urls = find(page, f"//tr[@id='{row.id}']//a/@href")
            assert urls == [f"{address}#{name}" for name in names]
            assert find(asked, "//dl[@class='answers']/div/@id") == names
    first, second = tables.all[0].questions[:2]
    assert f"question/{second.id}/" in house.page(f"/console/compare/carts/question/{first.id}/")


@pytest.mark.parametrize(
    "path",
    ["nothing/", "carts/question/nothing/", "../compare.toml/", "carts/nothing/", "carts.json/"],
)
def test_what_is_no_table_and_no_question_is_not_there(house, path):
    assert house.ask(f"/console/compare/{path}")[0] == 404


# What follows


def test_each_conclusion_leads_to_what_supports_it(house, tables, kept):
    measured(kept)
    page = house.page("/console/compare/")
    shown = find(page, "//li[@data-conclusion]")
    assert len(shown) >= 8
    for one, item in zip(tables.conclusions, shown, strict=True):
        assert item.text_content().startswith(one.sentence.replace("`", ""))
        assert len(item.findall(".//a")) >= len(one.cells)
    for address in set(find(page, "//li[@data-conclusion]//a/@href")):
        path, _, place = address.partition("#")
        assert f'id="{place}"' in house.page(path) or not place


def test_a_conclusion_shows_the_answers_that_it_rests_on(house, tables, kept):
    table = tables.find("carts")
    assert any("carts/two_tabs" in one.cells for one in tables.conclusions)
    wrong = replace(answers(table).cell("two_tabs", "session"), answer="perhaps", holds=False)
    keep(kept, answers(table, wrong))
    page = house.page("/console/compare/")
    link = "//a[@href='/console/compare/carts/question/two_tabs/']"
    held, failed = find(page, f"({link})[1]/../*[@data-state]")
    assert (held.get("data-state"), failed.get("data-state")) == ("holds", "fails")
    assert failed.findtext("b") == wrong.shown


def test_a_conclusion_leads_to_the_figures_that_are_drawn(house, folder, kept):
    manifest = folder / "labs" / "compare.toml"
    text = manifest.read_text()
    conclusion = 'sentence = "Thus."\ncells = []\nfigures = ["carts/up", "carts/unmeasured"]\n'
    manifest.write_text(f"{text}\n[[conclusion]]\n{conclusion}")
    measured(kept)
    page = house.page("/console/compare/")
    manifest.write_text(text)
    address = "/console/compare/carts/#figure-carts-up"
    assert links(page, "(//li[@data-conclusion])[last()]//a") == {CHART.title: address}
    assert find(house.page("/console/compare/carts/"), "//figure[@id='figure-carts-up']")


# What was measured


def measured(folder, name="carts-sqlite", machine="", drawn=True):
    """Figures with one chart."""
    stamp = STAMP | {"machine": STAMP["machine"] | {"processor": machine or "a <fast> one"}}
    results.write(folder / f"{name}.json", stamp, FIGURES)
    if drawn:
        (folder / "carts-up.svg").write_text(SVG)


def test_without_any_figures_it_says_how_to_measure(house):
    page = house.page("/console/compare/wizard/")
    assert texts(page, "//*[@data-figures='none']/code") == ["lab compare wizard --measure"]


def test_figures_have_their_machine_date_and_command(house, kept):
    measured(kept)
    page = house.page("/console/compare/carts/")
    (stamp,) = texts(page, "//*[@data-figures='here']")
    for part in (STAMP["date"], STAMP["command"], *STAMP["machine"].values(), "Python 3.11.7"):
        assert part in stamp.replace("2 cores", "2")
    chart = "/console/measured/here/carts-up.svg"
    (image,) = find(page, f"//a[@href='{chart}']/img")
    assert image.get("src") == chart
    assert image.get("alt") == f"{CHART.title}. {CHART.about}"
    assert find(page, "//a[@href='/console/measured/here/carts-sqlite.json']")


def test_the_committed_figures_are_shown_until_there_are_own_ones(house, folder, kept):
    committed = folder / "docs" / "measured"
    committed.mkdir()
    measured(committed, machine="theirs")
    measured(kept, machine="undrawn", drawn=False)  # matplotlib was not there
    page = house.page("/console/compare/carts/")
    assert "theirs" in texts(page, "//*[@data-figures='committed']")[0]
    assert "/console/measured/committed/carts-up.svg" in page
    measured(kept, machine="ours")
    page = house.page("/console/compare/carts/")
    assert find(page, "//*[@data-figures]/@data-figures") == ["here"]
    assert "ours" in texts(page, "//*[@data-figures]")[0]
    shutil.rmtree(committed)


def test_a_chart_and_its_figures_can_be_fetched(house, kept):
    measured(kept)
    status, svg, headers = house.ask("/console/measured/here/carts-up.svg")
    assert (status, svg, headers["Content-Type"]) == (200, SVG, "image/svg+xml")
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src")
    status, text, _ = house.ask("/console/measured/here/carts-sqlite.json")
    assert json.loads(text)["figures"] == FIGURES
    for path in ("here/none.svg", "there/carts-sqlite.json", "here/..%2f..%2fserve.log", "here/"):
        assert house.ask(f"/console/measured/{path}")[0] == 404


# Asking


@pytest.fixture
def one_question(folder):
    """The tests of labs 02 and 06 answer one question, and wait until a file exists."""
    gate = folder / "gate"
    kept = {}
    for lab in ("02_cookie_pagecount", "06_session_pagecount"):
        path = folder / "labs" / lab / "tests" / "test_compared.py"
        kept[path] = path.read_text()
        path.write_text(
            "import time\nfrom pathlib import Path\n"
            "from labkit.compare.probes import check_answer, counts\n\n\n"
            "def test_one(request):\n"
            f"    while not Path({str(gate)!r}).exists():\n"
            "        time.sleep(0.05)\n"
            "    check_answer('counts', counts.replay, request)\n"
        )
    yield gate
    for path, text in kept.items():
        path.write_text(text)
    gate.unlink(missing_ok=True)


def test_a_table_is_asked_by_a_button_and_one_at_a_time(house, folder, tables, one_question):
    path = "/console/compare/counts/"
    assert house.ask(f"{path}ask/")[0] == 405
    assert house.ask(f"{path}ask/", method="POST", fields={})[0] == 403
    button = f"//form[@action='{path}ask/']"
    assert find(house.page(path), button)
    assert house.press(f"{path}ask/") == 302
    page = house.page(path)
    (run,) = find(page, "//*[@data-run='counts']")
    assert (run.get("data-finished"), run.get("data-tests")) == ("0", "40")
    assert find(page, "//tbody[@id='rows'][@data-live]")
    assert not find(page, button)
    assert house.press("/console/compare/carts/ask/") == 302
    elsewhere = house.page("/console/compare/carts/")
    assert find(elsewhere, f"//*[@data-run='counts']/a[@href='{path}']")
    until(lambda: any("02_cookie_pagecount/tests" in args for args in house.children.values()))
    assert not any("asking carts" in args for args in house.children.values())
    one_question.touch()
    page = until(lambda: find(house.page(path), button) and house.page(path))
    assert cells(page, "replay") == [("holds", "yes"), ("holds", "no")]
    assert {state for state, _ in cells(page, "two_tabs")} == {"fails"}  # nobody asked this
    assert (folder / ".lab" / "compare" / "counts.json").exists()
    assert not (folder / ".lab" / "compare" / "carts.json").exists()


def test_what_cannot_be_asked_says_why(house, folder, one_question):
    # The console has already read this file, so it keeps the old manifest.
    manifest = folder / "labs" / "labs.toml"
    text = manifest.read_text()
    path = "/console/compare/counts/"
    manifest.write_text(text.replace('number = "02"', 'number = "92"'))
    try:
        house.press(f"{path}ask/")
        until(lambda: "02" in " ".join(texts(house.page(path), "//*[@data-failure]")))
    finally:
        manifest.write_text(text)


def test_tests_that_are_running_end_with_the_console(folder, one_question):
    with serving(folder, "--only", "03") as house:
        house.press("/console/compare/counts/ask/")
        asking = until(lambda: [p for p, a in house.children.items() if "test_compared.py" in a])
        assert alive(asking)
    until(lambda: not alive(asking))


# In a real browser


def test_every_page_is_for_everybody(chromium, house, tables, kept):
    page = chromium.page
    measured(kept)
    table = tables.find("carts")
    wrong = CellResult("two_tabs", "session", "no", "yes", False, "x.py::y", "assert 1 == 2")
    keep(kept, answers(table, wrong))
    page.on("console", lambda message: chromium.complaints.append(message.text))
    found = {}
    for name, path in PAGES.items():
        page.goto(house.url(path))
        if troubles := complaints_at_both_ends(page):
            found[name] = troubles
    assert found == {}


def test_a_chart_is_drawn_in_its_own_colours(chromium, house, kept):
    measured(kept)
    chromium.page.on("console", lambda message: chromium.complaints.append(message.text))
    chromium.page.goto(house.url("/console/compare/carts/"))
    assert chromium.page.locator("figure img").first.evaluate("image => image.naturalWidth") > 0
