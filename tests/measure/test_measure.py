"""`lab compare --measure`: a small measurement of real servers returns every figure."""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from email.message import Message
from html import escape

import pytest
from serving import LIMIT, alive, descendants, reachable, until

from labkit.base.cookie_names import cookie_name
from labkit.commands import compare_measure
from labkit.comparison_tables import Tables
from labkit.http.client import Response
from labkit.measure import charts, meter, report, results
from labkit.measure.meter import Amount, measure
from labkit.measure.workloads import NAMES, WORKLOADS, Carts, WorkloadError
from labkit.processes.start import StartFailed
from labkit.render.standalone_page import render_template
from labkit.serve.temporary_server import TemporaryServer, temporary_server

SMALL = Amount(samples=2, sizes=5, ways=(), tabs=(2, 10), adds=20, tries=2, robot=4)
CSRF = len("csrftoken_03=") + 32  # the CSRF cookie, which is the first in the header
NO_PROGRESS = lambda doing, part: None  # noqa: E731
LEFT = ["one visitor, 3 times a day", "a robot, 4 pages", "cookies blocked, 2 tries"]


@pytest.fixture(scope="module")
def tables(checkout):
    return Tables(checkout)


def found(checkout, tables, name, db="sqlite", amount=SMALL):
    return measure(checkout, tables.find(name), db, NO_PROGRESS, amount)


def cost(variant, kind, quantity):
    return [size[kind][quantity] for size in variant["sizes"]]


def is_whole(figures):
    """Check that all figures exist, with their charts and lines."""
    subject = WORKLOADS[figures["table"]]
    for variant in figures["variants"].values():
        assert [s["size"] for s in variant["sizes"]] == [n for n in subject.sizes if n <= 5]
        for size in variant["sizes"]:
            for kind in subject.kinds:
                figure = size[kind]
                assert set(figure) == {"up", "down", "cookie", "median", "p99", "queries"}
                assert 0 < figure["median"] <= figure["p99"]
                assert 0 <= figure["cookie"] < figure["up"]
                assert figure["down"] > 200
            assert (size["records"] > 0) == (size["stored"] > 0)
        assert list(variant["left"]) == LEFT
    drawn = report.charts(figures)
    assert {"records", "stored", "left"} <= set(drawn)
    for quantity in report.QUANTITIES:
        assert any(name.startswith(quantity) for name in drawn), quantity
    told = [line.label for line in report.lines(figures)]
    assert len(told) == len(set(told)) >= 8
    return True


def the_carts_cost(figures):
    cookie, session = figures["variants"].values()
    for kind in ("page", "add"):
        # Each item adds a cookie to every request; with a session, only the key is ever sent.
        first, second, *_ = cost(cookie, kind, "up")
        assert second - first == len("; cart_03_blue%20apple=1")
        assert len(set(cost(session, kind, "up"))) == 1
    assert set(cost(cookie, "page", "queries") + cost(cookie, "add", "queries")) == {0}
    assert set(cost(session, "page", "queries")) == {1}
    assert set(cost(session, "add", "queries")) == {2}
    assert [size["records"] for size in cookie["sizes"]] == [0, 0, 0]
    assert [size["records"] for size in session["sizes"]] == [1, 1, 1]
    assert session["sizes"][0]["stored"] < session["sizes"][-1]["stored"]
    assert cookie["tabs"] == {row: [[2, 20], [10, 20]] for row in (meter.FAST, meter.SLOW)}
    for row in session["tabs"].values():
        assert [tabs for tabs, _ in row] == [2, 10]
        assert all(20 // tabs <= kept <= 20 for tabs, kept in row)
    assert list(cookie["left"].values()) == [0, 0, 0]
    assert list(session["left"].values()) == [3, 0, 0]
    return True


@pytest.mark.maintainer
def test_carts_are_measured(checkout, tables):
    figures = found(checkout, tables, "carts")
    assert is_whole(figures)
    assert the_carts_cost(figures)


@pytest.mark.mysql
def test_carts_are_measured_on_mariadb(checkout, tables):
    figures = found(checkout, tables, "carts", "mysql")
    assert is_whole(figures)
    assert the_carts_cost(figures)


@pytest.mark.maintainer
def test_counts_are_measured(checkout, tables):
    figures = found(checkout, tables, "counts")
    assert is_whole(figures)
    cookie, session = figures["variants"].values()
    assert list(cookie["left"].values()) == [0, 0, 0]
    # The numbers of sessions left behind: one for each of three visits, one for each page that a
    # robot opens, and two for each of four visits.
    assert list(session["left"].values()) == [3, 4, 8]


@pytest.mark.maintainer
def test_wizards_are_measured(checkout, tables):
    figures = found(checkout, tables, "wizard")
    assert is_whole(figures)
    variants = figures["variants"]
    stores = {name for name, variant in variants.items() if variant["sizes"][0]["records"]}
    assert stores == {"session", "key_in_url"}
    # This carrier needs no cookie, but still stores a session.
    assert variants["key_in_url"]["left"][LEFT[2]] == 2
    assert cost(variants["hidden"], "step", "cookie") == [0, 0, 0]


@pytest.mark.maintainer
def test_engines_are_measured(checkout, tables):
    figures = found(checkout, tables, "engines")
    assert is_whole(figures)
    variants = figures["variants"]
    page = {name: set(cost(v, "page", "queries")) for name, v in variants.items()}
    none = {name: {0} for name in ("cached_db", "cache", "file", "signed_cookies")}
    assert page == {"db": {1}, **none}
    records = {name: v["sizes"][0]["records"] for name, v in variants.items()}
    assert records == {"db": 1, "cached_db": 2, "cache": 1, "file": 1, "signed_cookies": 0}
    left = {name: v["left"][LEFT[0]] for name, v in variants.items()}
    assert left == {"db": 3, "cached_db": 3, "cache": 3, "file": 3, "signed_cookies": 0}


@pytest.mark.maintainer
def test_a_cart_in_cookies_ends_where_it_says(checkout, tables):
    """The limit for a cart in a session, 200, is the same as in the lab's tests."""
    table = tables.find("carts")
    only = type(table)(table.id, "", "", table.variants[:1], ())
    with (
        meter.temporary_folder(checkout) as folder,
        meter.start_servers(checkout, only, Carts(), folder, lambda *_: "", {}) as [server],
    ):
        ends = asyncio.run(meter.find_limits(server, Amount()))
    assert {way: end["count"] for way, end in ends.items()} == dict(
        zip(NAMES, (50, 50, 10), strict=True)
    )
    # With short names, the limit that applies is 50 cookies; with long names, it is 4000 bytes.
    sizes = {
        way: [len(f"{cookie_name('cart_03_', name(number))}=1; ") for number in range(1, 52)]
        for way, name in NAMES.items()
    }
    for way, end in ends.items():
        assert end["cookie"] == sum(sizes[way][: end["count"]]) + CSRF
    assert sum(sizes["short names"][:51]) <= 4000
    assert sum(sizes["names of 40 Chinese characters"][:10]) <= 4000
    assert sum(sizes["names of 40 Chinese characters"][:11]) > 4000


def answers(milliseconds):
    return [
        [Response(200, Message(), "", 300 + n, 900, ms / 1000, 60)]
        for n, ms in enumerate(milliseconds)
    ]


def test_one_slow_answer_in_a_hundred_is_not_the_99th():
    one = meter.summarize(answers([5.0] * 98 + [70.0, 900.0]))
    assert (one["median"], one["p99"]) == (5.0, 70.0)
    assert (one["up"], one["down"], one["cookie"]) == (300, 900, 60)


def test_what_is_lost_on_the_way_is_not_measured():
    """If a server is so slow that the cart expires, the measurement returns no figures."""

    class Forgetful(Carts):
        async def begin(self, visit):
            pass

        async def grow(self, visit, number, way=""):
            return number <= 4

        async def ask(self, kind, visit):
            return answers([1.0])[0]

        async def size(self, visit):
            return 1

    variant = meter.Variant("cookie", "cookies", "03")
    server = meter.Server(variant, Forgetful(), TemporaryServer(1, None, None))
    unit = server.workload.unit
    shrunk = meter.SIZE_LOST.format(name="cookie", size=2, unit=unit, left=1)
    limited = meter.LIMIT_LOST.format(name="cookies", count=4, size=1)
    with pytest.raises(WorkloadError, match=re.escape(shrunk)):
        asyncio.run(meter.measure_at_size([server], 2, SMALL))
    with pytest.raises(WorkloadError, match=re.escape(limited)):
        asyncio.run(meter.find_limits(server, Amount()))


def test_a_server_that_does_not_start_says_why(tmp_path):
    environ = os.environ | {"DJANGO_SETTINGS_MODULE": "no_lab.settings"}
    with (
        pytest.raises(StartFailed, match=r"lab 03.*No module named 'no_lab'"),
        temporary_server(tmp_path, environ, tmp_path / "server.log") as started,
    ):
        started.wait_until_ready("lab 03")
    assert started.process.returncode is not None
    assert not reachable(started.port)


def test_every_table_can_be_measured(tables):
    assert set(WORKLOADS) == {table.id for table in tables.all}


def test_measuring_needs_a_table(said, tables):
    status, output = said("compare", "--measure")
    assert status == 2
    assert all(table.id in output for table in tables.all)


@pytest.mark.thorough
def test_the_command_keeps_its_figures_and_says_what_is_missing(
    checkout, tables, tmp_path, monkeypatch, capsys
):
    def absent():
        raise charts.NotInstalled("matplotlib not found; get it by: pip")

    monkeypatch.setattr(charts, "need", absent)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    console = compare_measure.Console(width=200, highlight=False)
    compare_measure.run(checkout, tables.find("counts"), "sqlite", tmp_path, console, SMALL)
    output = capsys.readouterr().out
    assert [file.name for file in tmp_path.iterdir()] == ["counts-sqlite.json"]
    assert "No charts: matplotlib not found; get it by: pip" in output
    content = results.read(tmp_path / "counts-sqlite.json")
    for line in report.lines(content["figures"]):
        assert line.label in output
    assert results.describe(content["stamp"]) in " ".join(output.split())


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform == "win32", reason="no signals and no ps on Windows")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_nothing_running(own_checkout, end):
    process = subprocess.Popen(
        [sys.executable, "-m", "labkit.cli", "compare", "carts", "--measure"],
        cwd=own_checkout,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # A background process may ignore SIGINT, and this process would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    try:
        state = own_checkout / ".lab" / "compare"
        until(lambda: list(state.glob("state-*/plain/session/04/db.sqlite3")))
        started = descendants(process.pid)
        assert len(started) >= 2
        process.send_signal(end)
        assert process.wait(LIMIT) != 0
        until(lambda: not alive(started))
        assert list(state.iterdir()) == []
    finally:
        process.kill()
        process.wait()


# The committed measurements


def test_the_page_quotes_what_was_measured(checkout):
    """If this fails, run: lab compare --write."""
    page = (checkout.root / report.PAGE).read_text("utf-8")
    assert report.measured_page(checkout.root) == page


@pytest.mark.parametrize("db", ["sqlite", "mysql"])
def test_what_was_measured_is_complete(checkout, db):
    content = results.read(checkout.root / report.MEASURED / f"carts-{db}.json")
    assert content["figures"]["samples"] == meter.WHOLE.samples
    assert content["stamp"]["command"].startswith("lab compare carts --measure")


def test_each_question_has_one_chart(checkout):
    """If a chart is missing or out of date, run: lab compare --write."""
    folder = checkout.root / report.MEASURED
    measured = report.read_measured(checkout.root, "carts")
    assert [run.database for run in measured.runs] == list(report.DATABASES.values())
    drawn = report.charts(measured.figures)
    assert {path.name for path in folder.glob("carts-*.svg")} == {f"carts-{n}.svg" for n in drawn}
    assert len({chart.title for chart in drawn.values()}) == len(drawn)
    for name, chart in drawn.items():
        text = (folder / f"carts-{name}.svg").read_text(encoding="utf-8")
        assert f">{escape(chart.about)}</desc>" in text, name
        assert charts.stylesheet() in text


def test_a_way_without_a_database_is_drawn_once(checkout):
    found = report.read_measured(checkout.root, "carts").figures["variants"]
    assert list(found) == ["cookies", "session, SQLite", "session, MariaDB"]


def test_colours_say_where_the_state_is(checkout):
    chart = report.charts(report.read_measured(checkout.root, "carts").figures)["median"]
    assert [series.place for series in chart.series] == ["browser", "store", "store"]


def test_other_figures_give_another_page(checkout, tmp_path):
    shutil.copytree(checkout.root / report.MEASURED, tmp_path / report.MEASURED)
    path = tmp_path / report.MEASURED / "carts-mysql.json"
    content = results.read(path)
    content["figures"]["variants"]["session"]["left"]["one visitor, 3 times a day"] = 4321
    path.write_text(json.dumps(content), encoding="utf-8")
    assert "4,321" in report.measured_page(tmp_path)
    compare_measure.write(tmp_path, compare_measure.Console())
    assert "4,321" in (tmp_path / report.PAGE).read_text(encoding="utf-8")


def test_two_runs_of_different_kinds_are_not_set_side_by_side(checkout, tmp_path):
    shutil.copytree(checkout.root / report.MEASURED, tmp_path / report.MEASURED)
    path = tmp_path / report.MEASURED / "carts-mysql.json"
    path.write_text(path.read_text("utf-8").replace("a robot, 100", "a robot, 99"), "utf-8")
    with pytest.raises(ValueError, match=re.escape(report.DIFFERENT_KINDS)):
        report.measured_page(tmp_path)


def test_without_figures_the_command_says_so(own_checkout, said):
    status, output = said("compare", "--write")
    assert status == 1
    assert report.PAGE.as_posix() in output


@pytest.fixture
def measured(checkout, tmp_path):
    """A folder with only the committed files."""
    shutil.copytree(checkout.root / report.MEASURED, tmp_path / report.MEASURED)
    return tmp_path


def test_a_page_shows_what_was_measured(measured):
    found = report.read_measured(measured, "carts")
    page = render_template("render/compare_costs.html", {"measured": found})
    assert page.count("<figure") == page.count("<svg ") == page.count("</figure>")
    for name in ("up", "tabs"):
        chart = report.find_chart(found, name)
        assert f'id="{chart.anchor}"' in page
        assert f">{escape(chart.title)}</title>" in page
    names = re.findall(r' id="([^"]+)"', page)
    assert len(names) == len(set(names))
    assert report.find_chart(found, "sideways") is None


def test_what_was_measured_here_comes_first(measured):
    here = report.places(measured)["here"] / "carts-sqlite.json"
    here.parent.mkdir(parents=True)
    here.write_text("{}", encoding="utf-8")
    assert report.read_measured(measured, "carts").place == "committed"
    shutil.copy(measured / report.MEASURED / "carts-sqlite.json", here)
    found = report.read_measured(measured, "carts")
    assert (found.place, [run.path for run in found.runs]) == ("here", [here])
    assert found.variants == ["cookies", "session"]  # of one database
    assert report.read_measured(measured, "wizard") is None


def test_the_figures_of_a_conclusion_are_drawn(measured, tables):
    references = [one for conclusion in tables.conclusions for one in conclusion.figures]
    assert references
    for table, _, name in (one.partition("/") for one in references):
        assert report.find_chart(report.read_measured(measured, table), name)
