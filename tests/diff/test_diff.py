"""Test that `lab diff` shows all differences, and every change with its note."""

import os
import pty
import random
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner
from elements import find

from labkit import cli
from labkit.catalog import CatalogError
from labkit.diff import (
    Notes,
    compare,
    comparison,
    find_sides,
    html_page,
    lines,
    terminal,
)
from labkit.diff.comparison import diff
from labkit.diff.data_classes import NOTHING, SAME_FILES
from labkit.diff.inputs import SAME_CODE, File
from labkit.testing import accessibility


@pytest.fixture
def compared(checkout):
    """Return the comparison of the two sides with these names."""
    return lambda *names: compare(checkout, *find_sides(checkout, *names))


@pytest.fixture
def printed():
    """Run `lab`; return (exit status, output)."""

    def run(*arguments):
        result = CliRunner().invoke(cli.main, [str(argument) for argument in arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    return run


def all_rows(file):
    """Return all rows of a file that differs, in order."""
    return [row for hunk in file.hunks for row in (*hunk.before, *hunk.rows)] + list(file.after)


def files(one, two, name="lab/x.py"):
    return diff(File(name, one.encode(), name), File(name, two.encode(), name))


def shown(one, two, name="lab/x.py"):
    """Return the differing lines as a terminal without colour shows them."""
    writer = terminal.Writer(colour=False, width=100)
    marks = {"-": "old", "+": "new"}
    return [
        f"{mark} {writer.line(line, mark, 'red').partition(f'{mark} ')[2]}"
        for hunk in files(one, two, name).hunks
        for row in hunk.rows
        for mark, side in marks.items()
        if not row.same and (line := getattr(row, side))
    ]


# Nothing is hidden


def pairs():
    from pathlib import Path

    from labkit.catalog import Catalog

    return list(Notes(Catalog(Path(__file__).parents[2])).pairs())


def test_the_pairs_are_all_that_the_lessons_compare():
    found = pairs()
    assert ("02", "06") in found
    assert ("03", "04") in found
    assert len([pair for pair in found if pair[0].startswith("05:")]) == 6
    assert len([pair for pair in found if pair[0].startswith("10:")]) == 21  # of 7 rows
    assert ("11:careful", "11:careless") in found


@pytest.mark.parametrize("pair", pairs(), ids=" ".join)
def test_each_pair_shows_every_line_and_why(compared, pair):
    found = compared(*pair)
    text = terminal.text(found, colour=False, width=100, tests=True)
    flat = " ".join(text.replace("▌", " ").split())
    html = Read(html_page.html(found))
    assert found.hunks
    for file in found.files:
        rows = all_rows(file)
        for version, side in ((file.old, "old"), (file.new, "new")):
            there = [getattr(row, side) for row in rows if getattr(row, side)]
            assert [line.text for line in there] == lines.split(version.text())
            assert [line.number for line in there] == list(range(1, len(there) + 1))
        assert all(row.old.text == row.new.text for row in rows if row.same)
    for hunk in found.hunks:
        assert hunk.note
        assert " ".join(hunk.note.split()) in flat
        assert hunk.note.replace("`", "") in html.notes
        for line in hunk.changed:
            assert line.text.strip() in without_marks(text)
            assert line.text in html.code
    for name in found.same:
        assert name in flat
        assert name in html.text


def without_marks(text):
    return re.sub(r"\[-|-\]|\{\+|\+\}", "", text).replace("·", " ")


class Read(HTMLParser):
    """Parse a page, and collect its text, notes and lines of code."""

    def __init__(self, html):
        super().__init__()
        self.text, self.notes, self.code, self.inside = "", [], [], None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag == "code" and self.inside is None:
            self.code.append("")
            self.inside = self.code
        elif ("data-note", None) in attributes:
            self.notes.append("")
            self.inside = self.notes

    def handle_endtag(self, tag):
        if (tag, self.inside) in (("code", self.code), ("span", self.notes)):
            self.inside[-1] = self.inside[-1].replace("·", " ")
            self.inside = None

    def handle_data(self, data):
        self.text += data
        if self.inside is not None:
            self.inside[-1] += data


@pytest.mark.parametrize("seed", range(30))
def test_any_two_texts_can_be_put_together_again(seed):
    chance = random.Random(seed)
    parts = ["def f():", "def g():", "    return 1", "        return 1", "\treturn 1", "", "}", "x"]
    one, two = ("\n".join(chance.choices(parts, k=chance.randrange(12))) for _ in range(2))
    rows = all_rows(files(one, two))
    if one == two:
        return
    assert [row.old.text for row in rows if row.old] == lines.split(one)
    assert [row.new.text for row in rows if row.new] == lines.split(two)
    for row in rows:
        if row.same:
            assert row.old.text == row.new.text
        elif row.old and row.new:
            assert row.old.text != row.new.text


def test_a_changed_indent_is_shown_without_colour():
    assert shown("if x:\n    go()\n    stop()\n", "if x:\n    go()\nstop()\n") == [
        "- [-····-]stop()",
        "+ stop()",
    ]
    assert shown("    go()\n", "        go()\n") == ["- [-····-]go()", "+ {+········+}go()"]
    assert shown("    go()\n", "\tgo()\n") == ["- [-····-]go()", "+ {+→+}go()"]


@pytest.mark.parametrize(
    ("one", "two", "as_shown"),
    [
        ("a = 1\n", "a = 1 \n", "{+·+}"),
        ("a = 1\n", "a = 1\r\n", "␍"),
        ("a = 1\n", "a = 1", "␄"),
        ("a = 1\n", "a\u00a0= 1\n", r"\xa0"),
        ("a = 1\n", "a = \u202e1\n", r"\u202e"),
        ("a = 1\n", "a\u200b = 1\n", r"\u200b"),
        ("a = 1\n", "\ufeffa = 1\n", r"\ufeff"),
        ("a = 1\n", "a = '\x1b[2J'\n", r"\x1b[2J"),
    ],
)
def test_what_nobody_would_see_is_shown(one, two, as_shown):
    assert as_shown in "\n".join(shown(one, two))


def test_words_are_compared_whole():
    assert shown("count = kept + 1\n", "count = keep + 1\n", "x.txt") == [
        "- count = [-kept-] + 1",
        "+ count = {+keep+} + 1",
    ]


def test_lines_with_little_in_common_are_not_one_line():
    assert shown("red apple\n", "import os, sys\n", "x.txt") == ["- red apple", "+ import os, sys"]


def test_a_function_is_held_against_the_one_of_its_name():
    swapped = files(
        "def f():\n    x\n\n\ndef g():\n    y\n", "def f():\n    y\n\n\ndef g():\n    x\n"
    )
    assert [hunk.blocks for hunk in swapped.hunks] == [{"def f"}, {"def g"}]


def test_changes_in_one_function_are_one_change_and_apart_they_are_two():
    gap = "\n".join(f"    x{n} = {n}" for n in range(9))
    inside = files(f"def f():\n    a\n{gap}\n    b\n", f"def f():\n    c\n{gap}\n    d\n")
    assert len(inside.hunks) == 1
    apart = files(f"a\n{gap}\nb\n".replace("    ", ""), f"c\n{gap}\nd\n".replace("    ", ""))
    assert len(apart.hunks) == 2


def test_python_that_cannot_be_read_is_compared_all_the_same():
    assert shown("def f(:\n    x\n", "def f(:\n    y\n") == ["-     x", "+     y"]


def test_a_file_on_one_side_alone_is_told(printed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for side in ("one", "two"):
        (tmp_path / side / "lab").mkdir(parents=True)
        (tmp_path / side / "lab" / "same.py").write_text("x = 1\n")
    (tmp_path / "two" / "lab" / "more.py").write_text("y = 2\n")
    (tmp_path / "two" / "lab" / "none.py").touch()
    (tmp_path / "two" / "photo.bin").write_bytes(b"\0\1")
    (tmp_path / "one" / "photo.bin").write_bytes(b"\0\2")
    status, text = printed("diff", "one", "two/")
    assert status == 0
    assert "+ y = 2" in text
    assert comparison.EMPTY in text
    assert comparison.NO_TEXT in text
    assert text.rpartition("\n\n")[2].count("lab/same.py") == 1  # their common part


def test_the_same_is_told_to_be_the_same(printed):
    status, text = printed("diff", "03", "03")
    assert status == 0
    assert NOTHING in text


def test_files_come_in_the_order_in_which_they_are_read(compared):
    read = [file.name for file in compared("03", "11").files]
    wanted = ["lab/settings.py", "lab/urls.py", "lab/storage.py", "lab/views.py", "lab/models.py"]
    assert [name for name in read if name in wanted] == wanted
    kinds = ["tests" if n[0] == "t" else "html" if n[-1] == "l" else "py" for n in read]
    assert kinds == sorted(kinds, key=["py", "html", "tests"].index)


# Code and tests


@pytest.mark.parametrize("pair", [("02", "06"), ("03", "04")], ids=" ".join)
def test_code_is_counted_apart_from_tests(compared, checkout, pair):
    code, tests = compared(*pair).parts
    twins = next(twins for twins in checkout.twins if twins.labs == pair)
    wanted = {name for name in twins.differs_in if name.startswith("lab/")}
    assert {file.name for file in code.files} == wanted
    assert {file.name.partition("/")[0] for file in tests.files} == {"tests"}
    assert compared(*pair).counts[0] == f"{code.summary}."


def test_terminal_and_page_give_the_same_counts(printed, compared, tmp_path):
    found, out = compared("03", "04"), tmp_path / "out.html"
    code, tests = found.parts
    _, text = printed("diff", "03", "04")
    _, said = printed("diff", "03", "04", "--html", out)
    assert found.summary in " ".join(text.split())
    assert found.summary in said
    assert re.findall(r"^(\d+) of (\d+) ", text, re.M) == [
        (str(number), str(len(code.hunks))) for number in range(1, len(code.hunks) + 1)
    ]
    page = out.read_text(encoding="utf-8")
    for part in (code, tests):
        assert find(page, f"//*[@data-{part.name}='{len(part.hunks)}/{len(part.files)}']")


def test_tests_are_folded_until_asked_for(printed, compared, tmp_path):
    _, tests = compared("03", "04").parts
    name = tests.files[0].name
    assert name not in printed("diff", "03", "04")[1].partition(SAME_FILES)[0]
    assert name in printed("diff", "03", "04", "--tests")[1].partition(SAME_FILES)[0]
    printed("diff", "03", "04", "--html", tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    folded = find(page, "//details[@data-part='tests'][not(@open)]//h2")
    assert len(folded) == len(tests.files)
    assert not find(page, "//details[@data-part='code']")


def test_tests_are_shown_where_nothing_else_differs(printed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for side in ("one", "two"):
        (tmp_path / side / "tests").mkdir(parents=True)
        (tmp_path / side / "tests" / "test_x.py").write_text(f"{side} = 1\n")
    assert "+ {+two+} = 1" in printed("diff", "one", "two")[1]


def test_a_variant_in_a_test_file_is_code(compared):
    (part,) = compared("11:careful", "11:careless").parts
    assert part.name == "code"


def test_the_other_way_round_is_the_mirror_image(compared):
    there, back = compared("03", "04"), compared("04", "03")
    assert [hunk.note for hunk in there.hunks] == [hunk.note for hunk in back.hunks]
    for one, two in zip(there.hunks, back.hunks, strict=True):
        assert [(r.old, r.new) for r in one.rows] == [(r.new, r.old) for r in two.rows]


def test_without_a_second_it_is_the_twin(compared):
    assert compared("03").new.name == "04"
    assert compared("04").new.name == "03"
    with pytest.raises(CatalogError, match=r"^09 "):
        compared("09")


@pytest.mark.parametrize("number", ["05", "10", "11", "12"])
def test_without_a_twin_the_variants_are_named(checkout, said, number):
    names = [f"{number}:{name}" for name in checkout.find(number).variants]
    for one, pair in ((number, names[:2]), (names[1], [names[1], names[0]])):
        status, text = said("diff", one)
        assert status == 1
        assert ", ".join(names) in text
        assert text.endswith(f": lab diff {' '.join(pair)}")


# Tests of the variants within a lab


def test_engines_differ_in_a_setting_and_in_what_becomes_of_the_cart(printed):
    status, text = printed("diff", "10:db", "10:signed_cookies")
    assert status == 0
    assert SAME_CODE.format("10", "lab/engines.py") in " ".join(text.split())
    assert "SESSION_ENGINE=django.contrib.sessions.backends.[-db-]" in text
    assert "Restored by a copied cookie: {+yes+}" in text
    # This line is the same on both sides, so nothing is marked.
    assert "Survives a restart: yes" in text
    assert "lab/settings.py" in text.partition(SAME_FILES)[2]


def test_with_redis_the_environment_names_it(printed):
    assert "REDIS_URL={+redis://" in printed("diff", "10:cache", "10:cache_redis")[1]


def test_the_two_logins_differ_in_one_line(compared, checkout):
    (hunk,) = compared("11:careful", "11:careless").hunks
    only = [line.text.strip() for line in hunk.changed if "request.session" in line.text]
    assert len(only) == 1
    assert only[0].startswith("request.session.cycle_key()")
    # The comparison shows the functions that lab 11's tests use, not copies of them.
    tests = (checkout.find("11").folder / "tests" / "test_login.py").read_text()
    assert "[auth.login, careful_login, careless_login]" in tests
    assert only[0] in tests


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("05:paper", "05:cookie, 05:hidden, 05:session, 05:key_in_url"),
        ("03:cookie", "Lab 03"),
        ("99", "lab 99"),
        ("nowhere/at/all", "lab nowhere/at/all"),
    ],
)
def test_what_is_not_there_is_one_sentence(printed, name, named):
    status, text = printed("diff", "03", name)
    assert status == 1
    assert text.startswith("Error: ")
    assert named in text


def test_without_any_name_it_names_the_pairs(printed):
    status, text = printed("diff")
    assert status == 0
    assert "lab diff 03 04\n" in text
    assert "lab diff 05:hidden 05:key_in_url\n" in text


# In the terminal


def test_where_nobody_looks_it_is_plain(printed):
    assert "\x1b" not in printed("diff", "03", "04")[1]


@pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals on Windows")
@pytest.mark.parametrize(
    ("environ", "arguments", "coloured", "paged"),
    [
        ({}, [], True, True),
        ({"NO_COLOR": "1"}, [], False, True),
        ({"TERM": "dumb"}, [], False, None),  # no pager is used on a dumb terminal
        ({}, ["--no-pager"], True, False),
    ],
)
def test_in_a_terminal_it_is_coloured_and_paged(tmp_path, environ, arguments, coloured, paged):
    pager, kept = tmp_path / "less", tmp_path / "paged"
    pager.write_text(f"#!/bin/sh\ncat > {kept}\n")
    pager.chmod(0o755)
    environ = {"TERM": "xterm", "PAGER": str(pager), **environ}
    output = in_a_terminal(["diff", "02", "06", *arguments], environ)
    if paged is not None:
        assert kept.exists() == paged
    text = kept.read_text() if kept.exists() else output
    assert "SessionMiddleware" in text
    assert ("\x1b[" in text) == coloured
    assert ("{+" in text) == (not coloured)
    assert re.search(r"^(\x1b\[\w+)? +19", text, re.M)


def in_a_terminal(arguments, environ):
    """Return the output of `lab` in a terminal."""
    ours, theirs = pty.openpty()
    clean = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "LESS"}}
    process = subprocess.Popen(
        [sys.executable, "-m", "labkit.cli", *arguments],
        env=clean | environ,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    output = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # on Linux, this error means that the other end is closed
            break
        if not chunk:
            break
        output += chunk
    os.close(ours)
    process.wait(timeout=30)
    return output.decode().replace("\r\n", "\n")


# The page


def test_what_a_file_says_is_text_and_nothing_else(printed, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    (tmp_path / "one" / "<b>x.html").write_text("<script>alert(7)</script>\n")
    (tmp_path / "two" / "<b>x.html").write_text('"><img src=x onerror=alert(7)>\n')
    out = tmp_path / "out.html"
    assert printed("diff", tmp_path / "one", tmp_path / "two", "--html", out)[0] == 0
    html = out.read_text(encoding="utf-8")
    assert not re.search("<script|<img|<b>x", html)
    assert "default-src 'none'" in html


def test_a_page_is_written_again_and_nothing_else_is(printed, tmp_path):
    out = tmp_path / "out.html"
    for _ in range(2):
        status, text = printed("diff", "02", "06", "--html", out)
        assert status == 0
        assert text.startswith(f"{out}: ")
        assert find(out.read_text(), "//*[@data-code and @data-tests]")
    thesis = tmp_path / "thesis.html"
    thesis.write_text("<h1>On cookies</h1>")
    status, text = printed("diff", "02", "06", "--html", thesis)
    assert status == 1
    assert text.startswith(f"Error: {thesis} ")
    assert thesis.read_text() == "<h1>On cookies</h1>"
    status, text = printed("diff", "02", "06", "--html", tmp_path / "none" / "out.html")
    assert status == 1
    assert text.startswith("Error: ")


@pytest.fixture
def opened(chromium, printed, tmp_path):
    """Write a pair's page, and open it offline; record every request."""

    def open_(*pair):
        out = tmp_path / "out.html"
        assert printed("diff", *pair, "--html", out)[0] == 0
        chromium.page.context.set_offline(True)
        asked = []
        chromium.page.on("request", lambda request: asked.append(request.url))
        chromium.page.on("console", lambda message: chromium.complaints.append(message.text))
        chromium.page.goto(out.as_uri())
        return chromium.page, asked

    return open_


class TestDiffInChromium:
    @pytest.mark.parametrize("pair", [("03", "04"), ("10:db", "10:signed_cookies")], ids=" ".join)
    def test_it_opens_offline_with_every_changed_line_and_its_note(self, opened, compared, pair):
        found = compared(*pair)
        page, asked = opened(*pair)
        for folded in page.locator("details.part > summary").all():
            folded.click()
        articles = page.locator("article").all()
        assert len(articles) == len(found.hunks)
        for article, hunk in zip(articles, found.hunks, strict=True):
            # Tests that no difference is collapsed or covered
            code = article.locator(".changed code").all_inner_texts()
            wanted = [line.text for line in hunk.changed]
            read = [text.replace("·", " ") for text in code]
            assert sorted(map(str.strip, read)) == sorted(map(str.strip, wanted))
            assert article.locator("[data-note]").inner_text() == hunk.note.replace("`", "")
            assert article.locator(".note").is_visible()
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []

    def test_axe_finds_nothing(self, opened):
        page, _ = opened("02", "06")
        for width, scheme in ((1920, "light"), (320, "dark")):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)
            assert accessibility.complaints(page) == []

    def test_no_page_scrolls_sideways(self, opened):
        page, _ = opened("03", "04")
        for width in (1920, 1366, 390, 320):
            page.set_viewport_size({"width": width, "height": 800})
            assert accessibility.cut_off(page) == []

    def test_wide_it_is_side_by_side_and_narrow_one_below_the_other(self, opened):
        page, _ = opened("02", "06")
        line = page.locator(".changed:has(.old):has(.new)").first

        def boxes():
            return [line.locator(f".{side}").first.bounding_box() for side in ("old", "new")]

        page.set_viewport_size({"width": 1920, "height": 1080})
        old, new = boxes()
        assert old["y"] == new["y"]
        assert old["x"] + old["width"] <= new["x"] + 1
        for width in (1366, 390):
            page.set_viewport_size({"width": width, "height": 800})
            old, new = boxes()
            assert old["y"] + old["height"] <= new["y"] + 1

    def test_code_is_large_and_its_note_beside_it(self, opened):
        page, _ = opened("03", "04")
        size = "element => parseFloat(getComputedStyle(element).fontSize)"
        for width in (1920, 1366, 390):
            page.set_viewport_size({"width": width, "height": 800})
            code, text, navigation = (
                page.locator(place).first.evaluate(size)
                for place in (".hunk code", "[data-note]", ".differing a")
            )
            assert code >= text > navigation
            note, hunk = (page.locator(place).first.bounding_box() for place in (".note", ".hunk"))
            if width > 390:
                assert hunk["x"] + hunk["width"] <= note["x"]
                assert hunk["y"] == note["y"]
            else:
                assert note["y"] + note["height"] <= hunk["y"]

    def test_wide_each_line_is_beside_the_one_it_became(self, opened, compared):
        page, _ = opened("03", "04")
        page.set_viewport_size({"width": 1920, "height": 1080})
        tops = "block => [...block.children].map(line => line.getBoundingClientRect().top)"
        found = [run for hunk in compared("03", "04").parts[0].hunks for run in hunk.runs()]
        changed = [run for run in found if not run[0].same]
        blocks = page.locator("[data-part=code] .changed").all()
        for block, run in zip(blocks, changed, strict=True):
            there = block.evaluate(tops)
            assert there[: len(run)] == there[len(run) :] == sorted(there[: len(run)])
        assert any(row.old and not row.new for run in changed for row in run)
        assert any(row.old and row.new for run in changed for row in run)

    def test_it_is_walked_through_by_keyboard(self, opened):
        page, _ = opened("02", "06")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.locator("a[rel=next]").nth(2).press("Enter")
        assert page.evaluate("document.activeElement.id") == "change-4"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.rel") == "prev"

    def test_without_colour_the_marks_are_there(self, opened):
        page, _ = opened("02", "06")
        assert page.locator(".line.old .mark").first.inner_text().startswith("−")
        assert page.locator(".line.new .mark").first.inner_text().startswith("+")
        decoration = "element => getComputedStyle(element).textDecorationLine"
        assert page.locator("del").first.evaluate(decoration) == "line-through"
        assert page.locator("ins").first.evaluate(decoration) == "underline"

    def test_on_paper_every_change_and_note_is_there(self, opened):
        page, _ = opened("02", "06")
        page.emulate_media(media="print")
        for part in (".note", ".changed .line", "h2", "h3"):
            places = page.locator(f"[data-part=code] {part}").all()
            assert all(place.is_visible() for place in places), part
        assert not page.get_by_role("navigation").is_visible()
