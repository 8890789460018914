"""Test `lab compare`: tables whose answers come from tests, and how it reports a wrong answer."""

import json
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from html import escape

import lxml.html
import pytest
from click.testing import CliRunner
from lab_copies import IGNORED, run_pytest
from rich.console import Console

from labkit import cli
from labkit.catalog import Catalog, CatalogError
from labkit.compare import html_page, table_runner
from labkit.compare.html_page import verdict
from labkit.compare.probe_source import probe_names, source
from labkit.compare.probes.base import MISMATCH
from labkit.compare.table_runner import CellResult, TableResult
from labkit.comparison_tables import Tables
from labkit.measure.report import QUANTITIES, STORED
from labkit.sources import MISSING, UNKNOWN
from labkit.testing import accessibility

pytestmark = pytest.mark.usefixtures("forked_runs")


@pytest.fixture
def tables(checkout):
    return Tables(checkout)


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# The manifest; test_layout.py checks that it is complete


def test_the_tables_have_as_many_questions_as_were_promised(tables):
    assert {table.id: len(table.variants) for table in tables.all} == {
        "carts": 2,
        "counts": 2,
        "wizard": 4,
        "engines": 5,
    }
    assert len(tables.find("carts").questions) >= 14
    assert len(tables.find("engines").questions) >= 10
    assert 8 <= len(tables.conclusions) <= 12


def test_every_table_supports_a_conclusion(tables):
    supporting = {c.partition("/")[0] for told in tables.conclusions for c in told.cells}
    assert supporting == {table.id for table in tables.all}


def test_every_figure_of_a_conclusion_is_one_that_is_drawn(tables):
    named = [figure.split("/") for told in tables.conclusions for figure in told.figures]
    assert named
    for table, chart in named:
        assert tables.find(table)
        assert chart in {*QUANTITIES, *STORED, "ends", "tabs", "left"}


def test_what_is_not_there_is_one_sentence(tables, said):
    with pytest.raises(CatalogError, match=r"nonsense.*carts, counts"):
        tables.find("nonsense")
    assert said("compare", "nonsense")[0] == 1
    with pytest.raises(CatalogError, match=r"carts.*hidden"):
        tables.resolve("carts/replay/hidden")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("why.cookie", "why.cooky", "for cooky"),
        ("sources.cookie", "sources.cooky", "for cooky"),
        ('["set-cookie", "cookie-storage"]', "[]", f"carts/browser_closed/cookie {MISSING}"),
        ('"set-cookie"', '"no-cookie"', f"{UNKNOWN}: no-cookie"),
        ("about = ", "abut = ", "'about'"),
        ("[[table]]", "[[table]", "at line"),
    ],
)
def test_a_manifest_that_is_not_right_is_one_sentence(own_checkout, said, old, new, told):
    edit(own_checkout / "labs" / "compare.toml", old, new)
    status, text = said("compare")
    assert status == 1
    assert told in text
    assert "Traceback" not in text


def test_the_source_of_a_question_is_the_function_that_asks_it(tables):
    carts, engines = tables.find("carts"), tables.find("engines")
    assert source(carts, "replay").startswith("def replay(visitor):\n")
    assert source(engines, "replay") == source(carts, "replay")
    assert source(engines, "bytes_up") != source(carts, "bytes_up")
    assert source(carts, "filled") == source(carts, "none") == ""
    assert probe_names(replace(carts, id="none")) == []


# A test fails if its cell in the table is wrong

# (lab, file, code, faulty code, test, message)
REMOVED = {
    "a cookie's own lifetime": (
        "03_cookie_cart",
        "lab/storage.py",
        "quantity, LIFETIME, httponly",
        "quantity, httponly",
        "browser_closed",
        ("carts", "yes", "cookie", "no"),
    ),
    "emptying on the server": (
        "04_session_cart",
        "lab/storage.py",
        'request.session.pop("cart", None)',
        'response.delete_cookie(settings.SESSION_COOKIE_NAME, samesite="Lax")',
        "replay",
        ("carts", "no", "session", "yes"),
    ),
    "the time in a signature": (
        "05_profile_wizard",
        "lab/carriers/hidden.py",
        ", max_age=LIFETIME)",
        ")",
        "server_ends_it and hidden",
        ("wizard", "yes", "hidden", "no"),
    ),
    "one cookie for each item": (
        "03_cookie_cart",
        "lab/storage.py",
        "    response.set_cookie(cookie, quantity, LIFETIME",
        "    clear(request, response)\n"
        "    for n, q in load(request).items():\n"
        "        response.set_cookie(cookie_name(PREFIX, n), q, LIFETIME)\n"
        "    for n in ('apple', 'pear'):\n"
        "        if n not in load(request):\n"
        "            response.delete_cookie(cookie_name(PREFIX, n))\n"
        "    response.set_cookie(cookie, quantity, LIFETIME",
        "two_tabs and not first and not same",
        ("carts", "yes", "cookie", "no"),
    ),
    "the table of sessions": (
        "06_session_pagecount",
        "lab/settings.py",
        '"django.contrib.sessions.backends.db"',
        '"django.contrib.sessions.backends.signed_cookies"',
        "visitor_can_read",
        ("counts", "no", "session", "yes"),
    ),
}


@pytest.mark.parametrize("removed", REMOVED.values(), ids=REMOVED)
def test_without_the_behaviour_behind_a_cell_its_test_fails(checkout, tmp_path, removed):
    name, path, there, gone, test, told = removed
    table, expected, variant, answer = told
    lab = tmp_path / name
    shutil.copytree(checkout.root / "labs" / name, lab, ignore=IGNORED)
    edit(lab / path, there, gone)
    only = f"test_what_the_table_says_is_so and {test}"
    status, output = run_pytest(checkout, lab, "-k", only)
    assert status == pytest.ExitCode.TESTS_FAILED, output
    said = MISMATCH.format(table=table, expected=expected, variant=variant, answer=answer)
    assert said in output


# The command


def test_without_a_name_it_names_the_tables_and_concludes(said, tables):
    status, text = said("compare")
    assert status == 0
    for table in tables.all:
        assert f"lab compare {table.id} {table.title} {len(table.questions)} questions" in text
    for conclusion in tables.conclusions:
        assert f"{conclusion.sentence} {' '.join(conclusion.cells)}" in text
        assert all(f"{figure} (measured)" in text for figure in conclusion.figures)
    assert said("compare", "--tests")[0] == 2


@pytest.fixture
def quick_probes(monkeypatch):
    """Leave out the thorough probes, so that no server is started."""
    monkeypatch.setattr(table_runner, "MARKS", "not thorough and not redis and not browser")


def test_a_wrong_cell_and_an_untested_one_fail(own_checkout, quick_probes):
    edit(
        own_checkout / "labs" / "compare.toml",
        'answer.cookie = "10 bytes"',
        'answer.cookie = "9 bytes"',
    )
    checkout = Catalog(own_checkout)
    table = Tables(checkout).find("counts")
    assert table_runner.read_last_result(checkout, table) is None
    finished = []
    result = table_runner.run_table(checkout, table, on_finished=finished.append)
    assert finished == [cell.test for cell in result.cells if cell.test]
    assert len(finished) == 34
    right, wrong = result.cell("replay", "session"), result.cell("bytes_up", "cookie")
    assert right.holds
    node = "tests/test_compared.py::test_what_the_table_says_is_so[replay]"
    assert right.test == f"labs/06_session_pagecount/{node}"
    assert (wrong.answer, wrong.expected, wrong.holds) == ("10 bytes", "9 bytes", False)
    assert "'10 bytes'" in wrong.message
    untested = [cell for cell in result.cells if not cell.test]
    assert {cell.question for cell in untested} == {
        "server_restarted",
        "two_processes",
        "without_migrate",
    }
    assert not any(cell.holds or cell.answer for cell in untested)
    assert not result.holds
    assert len(result.cells) == 40
    assert result.databases[0].startswith("SQLite 3.")
    assert datetime.fromisoformat(result.time).tzinfo == UTC

    # The result is stored. If its file is damaged, it is ignored.
    assert table_runner.read_last_result(checkout, table) == result
    path = own_checkout / ".lab" / table_runner.ANSWERS / "counts.json"
    for damaged in ("", "[]", json.dumps({"table": "counts"})):
        path.write_text(damaged)
        assert table_runner.read_last_result(checkout, table) is None


def test_the_command_lists_what_failed(tables, said, monkeypatch):
    table = tables.find("counts")
    result = result_of(table, replay="perhaps")
    monkeypatch.setattr("labkit.commands.compare.run_table", lambda *_: result)
    status, text = said("compare", "counts", "--tests")
    assert status == 1
    for cell in result.cells:
        assert f"{cell.question}, {cell.variant}: {cell.test}" in text
        assert cell.holds or f"✗ {cell.shown}" in text
        assert cell.holds or f"{cell.question}, {cell.variant}: {cell.message}" in text
    assert verdict(table, result) in text


def test_a_lab_whose_tests_cannot_run_is_a_complaint(own_checkout, quick_probes):
    settings = own_checkout / "labs" / "02_cookie_pagecount" / "lab" / "settings.py"
    settings.write_text("import nothing_of_this_name\n")
    checkout = Catalog(own_checkout)
    result = table_runner.run_table(checkout, Tables(checkout).find("counts"))
    (complaint,) = result.complaints
    assert "No module named 'nothing_of_this_name'" in complaint
    assert not result.holds
    assert not result.cell("bytes_up", "cookie").holds
    assert result.cell("bytes_up", "session").answer == "45 bytes"


@pytest.mark.thorough
def test_lab_compare_confirms_every_cell_of_a_table(said):
    """The labs' tests run the probes of all tables. The command here runs those of one table."""
    status, text = said("compare", "counts")
    assert status == 0, text


@pytest.mark.mysql
def test_lab_compare_runs_the_probes_on_mariadb(checkout, tables, said, quick_probes, mariadb):
    """The labs' tests run all probes on MariaDB. The command here runs only the quick ones."""
    said("compare", "counts", "--db", "mysql")
    result = table_runner.read_last_result(checkout, tables.find("counts"))
    assert [cell for cell in result.cells if cell.test and not cell.holds] == []
    assert len([cell for cell in result.cells if cell.holds]) == 34
    assert any(name.startswith("MariaDB ") for name in result.databases)


# The terminal, wide and narrow


def result_of(table, **wrong):
    """Return results that agree with the table, except for these: {row: answer}."""
    cells = tuple(
        CellResult(
            row.id,
            variant,
            cell.answer,
            wrong.get(row.id, cell.answer),
            row.id not in wrong,
            f"labs/x/tests/test_compared.py::test_what_the_table_says_is_so[{row.id}]",
            "it says <b>so</b>" if row.id in wrong else "",
        )
        for row in table.questions
        for variant, cell in row.cells.items()
    )
    return TableResult(
        table.id, "2030-01-07T09:00:00+00:00", "3.11", "5.2", ("SQLite 3.40",), cells
    )


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_in_a_terminal_all_answers_and_reasons_are_there(tables, monkeypatch, columns):
    table = tables.find("engines")
    monkeypatch.setattr(
        "labkit.commands.compare.run_table", lambda *_: result_of(table, replay="perhaps")
    )
    terminal = Console(force_terminal=True, width=columns, color_system=None, highlight=False)
    monkeypatch.setattr("labkit.commands.compare.text_console", terminal)
    result = CliRunner().invoke(cli.main, ["compare", "engines"])
    assert result.exit_code == 1
    lines = result.output.splitlines()
    (command,) = (line for line in lines if "pytest " in line)  # on one line, for copying
    assert command.endswith(f" -k {table.questions[0].id}")
    assert max(len(line) for line in lines if line != command) <= columns
    text = " ".join(result.output.replace("│", " ").split())
    assert "✗ perhaps (and not" in text
    for row in table.questions:
        assert row.id in text
    for cell in [cell for row in table.questions for cell in row.cells.values() if cell.why]:
        assert cell.why in text
        assert all(each.title in text for each in cell.sources)
    if columns == 80:
        assert "late: cached_db (" in text
        assert "yes: db, file, signed_cookies" in text


# The page


def test_a_page_has_every_answer_reason_function_and_test(tables):
    for table in tables.all:
        answers = result_of(table)
        found = lxml.html.document_fromstring(html_page.html(tables, table, answers))
        rows = found.xpath("//section[@aria-labelledby='answers']//tbody/tr")
        assert [row.find("th").text_content() for row in rows] == [
            row.text for row in table.questions
        ]
        for shown, row in zip(rows, table.questions, strict=True):
            cells = shown.findall("td")
            assert [cell.findtext(".//span[@data-answer]") for cell in cells] == [
                cell.answer for cell in row.cells.values()
            ]
            whys = [cell.text_content() for cell in shown.find_class("why")]
            assert whys == [cell.why.replace("`", "") for cell in row.cells.values() if cell.why]
            assert {a.get("href") for a in shown.iter("a")} == {f"#ask-{row.id}"}
            (asked,) = found.xpath(f"//article[@aria-labelledby='ask-{row.id}']")
            assert asked.find("pre").text_content() == source(table, row.id)
            tests = [cell.test for cell in answers.cells if cell.question == row.id]
            assert [code.text for code in asked.findall("dl/div/dd/code")] == tests
            assert [(a.text, a.get("href")) for a in asked.iter("a")] == [
                (each.title, each.url) for cell in row.cells.values() for each in cell.sources
            ]
        told = found.xpath("//li[@data-conclusion]")
        assert len(told) == len(tables.conclusions)
        for line, conclusion in zip(told, tables.conclusions, strict=True):
            assert line.text_content().startswith(conclusion.sentence)
        links = {a.get("href") for a in found.iter("a")}
        ids = {element.get("id") for element in found.iter() if element.get("id")}
        outside = {link for link in links if link.startswith("https:")}
        assert {link.removeprefix("#") for link in links - outside} <= ids


def test_a_page_shows_what_is_not_so_and_escapes_it(tables):
    table = tables.find("counts")
    result = result_of(table, replay="<i>maybe</i>")
    html = html_page.html(tables, table, result)
    assert "<i>" not in html
    assert "it says <b>so" not in html
    assert html.count('<td data-state="fails">') == 2
    assert "&lt;i&gt;maybe&lt;/i&gt; (and not yes)" in html
    assert escape(verdict(table, result)) in html
    assert "default-src 'none'" in html


def test_a_page_is_written_again_and_nothing_else_is(tables, said, monkeypatch, tmp_path):
    table = tables.find("counts")
    answers = result_of(table)
    monkeypatch.setattr("labkit.commands.compare.run_table", lambda *_: answers)
    out = tmp_path / "out.html"
    for _ in range(2):
        status, text = said("compare", "counts", "--html", str(out))
        assert status == 0
        assert verdict(table, answers) in text
    assert table.title in out.read_text(encoding="utf-8")
    out.write_text("my thesis")
    status, text = said("compare", "counts", "--html", str(out))
    assert status == 1
    assert out.read_text() == "my thesis"


@pytest.fixture
def opened(chromium, tables, tmp_path):
    """Write a table's page, and open it offline; record every request."""

    def open_(name, **wrong):
        table = tables.find(name)
        out = tmp_path / "out.html"
        out.write_text(html_page.html(tables, table, result_of(table, **wrong)), encoding="utf-8")
        chromium.page.context.set_offline(True)
        asked = []
        chromium.page.on("request", lambda request: asked.append(request.url))
        chromium.page.goto(out.as_uri())
        return chromium.page, asked

    return open_


# As in Playwright: an element is visible if it has a size and `visibility` does not hide it.
ARE_SHOWN = """all => all.map(each => {
    const {width, height} = each.getBoundingClientRect();
    return each.checkVisibility({visibilityProperty: true}) && width > 0 && height > 0;
})"""


class TestCompareInChromium:
    @pytest.mark.parametrize(
        ("name", "width", "scheme"), [("carts", 320, "dark"), ("engines", 1920, "light")]
    )
    def test_axe_finds_nothing(self, opened, name, width, scheme):
        page, asked = opened(name, replay="perhaps")
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        assert accessibility.complaints(page) == []
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []

    @pytest.mark.parametrize("name", ["carts", "counts", "wizard", "engines"])
    def test_no_page_scrolls_sideways(self, opened, name):
        page, _ = opened(name)
        for width in (1920, 1280, 700, 390, 320):
            page.set_viewport_size({"width": width, "height": 800})
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width

    def test_on_a_phone_each_answer_has_its_columns_name_beside_it(self, opened):
        page, _ = opened("engines")
        name = page.locator("tbody tr").first.locator(".of").first
        assert not name.is_visible()
        page.set_viewport_size({"width": 390, "height": 800})
        assert name.is_visible()
        assert name.inner_text() == "db"
        answers = page.locator("tbody tr").first.locator("td").all()
        tops = [answer.bounding_box()["y"] for answer in answers]
        assert tops == sorted(set(tops))

    def test_it_is_walked_through_by_keyboard(self, opened):
        page, _ = opened("carts")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the table"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "scroll"
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "ask-browser_closed"

    def test_on_paper_everything_is_there(self, opened):
        page, _ = opened("engines")
        page.emulate_media(media="print")
        for part in ("tbody td a", ".why", "pre", "dd", "li"):
            shown = page.locator(f"main {part}").evaluate_all(ARE_SHOWN)
            assert shown
            assert all(shown), part
        assert not page.get_by_role("navigation").is_visible()


# Words that name a question's subject, so that the question makes sense without the row above.
SUBJECTS = {
    "carts": r"\b(cart|item)s?\b",
    "counts": r"\b(counts?|visits?)\b",
    "wizard": r"\b(answers?|wizard)\b",
    "engines": r"\b(cart|item)s?\b",
}


def test_every_question_names_its_subject_and_unit(tables):
    assert set(SUBJECTS) == {table.id for table in tables.all}
    for table in tables.all:
        texts = [question.text for question in table.questions]
        assert len(set(texts)) == len(texts)
        for text in texts:
            assert re.search(SUBJECTS[table.id], text), text
            assert text.endswith("?")
            assert not re.search(r"^And\b|\bHow (many|much) (do|does|is|are|carr)", text), text
