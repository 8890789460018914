from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import lxml.html
import pytest
from django import shortcuts
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connections
from django.db.backends.signals import connection_created
from django.test import RequestFactory

from lab import views
from labkit.base.session_lock import NO_ROW
from labkit.race import Timeline, simulated_tabs, tab_overlap
from labkit.race.tab_overlap import Step
from labkit.testing import wire_visitor
from labkit.testing.contracts import notices, table
from labkit.testing.lab_server import LabServer
from labkit.testing.malformed_requests import unknown_session_ids
from labkit.testing.wire_visitor import WireVisitor
from tests.contract import ADD, PATIENCE, RACE, WAYS, RacePages, RaceRuns, fates, kept

pages = RacePages()


class TestRacePages(RacePages):
    raw_requests = unknown_session_ids("sessionid_12")


class TestRace(RaceRuns):
    @pytest.fixture
    def visitor(self, server):
        return WireVisitor(server.port)

    @pytest.fixture
    def classmate(self, server):
        return WireVisitor(server.port)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux lists threads here")
def test_a_class_has_a_thread_for_each_add_by_hand():
    lab = LabServer(settings.FOLDER, migrate=True, server="worker")
    try:
        assert len(list(Path(f"/proc/{lab.pid}/task").iterdir())) > settings.SERVER_THREADS >= 40
    finally:
        lab.stop()


def test_while_one_race_is_run_another_one_is_asked_to_wait(transactional_db, visitor):
    with simulated_tabs.one_race:
        refused = visitor.post("/naive/race/", pages.with_token(visitor, **RACE))
        assert refused.status_code == 429
        assert lxml.html.document_fromstring(refused.content).find_class("errorlist")


def test_nobody_waits_for_a_tab_that_was_refused(transactional_db, visitor, monkeypatch):
    opened = []
    note = lambda connection, **_: opened.append(connection)  # noqa: E731
    connection_created.connect(note)
    # As under `lab serve`, each thread keeps its connection.
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", None)
    met = []
    meet = tab_overlap.Wave.meet
    monkeypatch.setattr(tab_overlap.Wave, "meet", lambda wave: met.append(meet(wave)))
    token = pages.with_token(visitor)
    request = RequestFactory(SERVER_NAME="127.0.0.1").post("/naive/race/", token)
    request.META["HTTP_COOKIE"] = visitor.jar.header(visitor.origin)
    fields = ADD | {"delay": 20}
    race = simulated_tabs.run_race(
        request,
        {"empty": "/empty/", "add": "/naive/add/", "cart": "/cart/"},
        # The CSRF check refuses the second tab before any view can read the session.
        posts=[fields, fields | {"csrfmiddlewaretoken": ""}, fields],
        adds=6,
    )
    assert met == [True] * 4
    assert opened != []
    assert {connection.connection for connection in opened} == {None}  # closed
    assert race.responses == ["4 × 302 Found", "2 × 403 Forbidden"]
    assert (race.kept, race.lost) == (2, 4)
    assert not simulated_tabs.one_race.locked()  # the next race can begin


@pytest.mark.in_process
@pytest.mark.pitfall("B40")
def test_the_add_is_saved_before_the_lock_is_released(visitor, monkeypatch):
    pages.add(visitor, "locked")
    found = []

    def redirect(*arguments):  # the view calls redirect() last, after the block
        found.append(Session.objects.get().get_decoded()["cart"])
        return shortcuts.redirect(*arguments)

    monkeypatch.setattr(views, "redirect", redirect)
    pages.add(visitor, "locked")
    assert found == [{"apple": 2}]


# What the handout says


@pytest.mark.parametrize("engine", ["cached_db", "cache", "file", "signed_cookies"])
def test_the_naive_way_works_on_every_engine_and_the_locked_one_where_there_is_a_row(
    use_engine, visitor, engine
):
    use_engine(engine)
    pages.add(visitor, "naive")
    token = pages.with_token(visitor)
    if engine == "cached_db":
        assert table(pages.add(visitor, "locked")) == {"apple": 2}
        return
    for path, fields in (("/locked/add/", ADD), ("/locked/race/", RACE)):
        refused = visitor.post(path, token | fields)
        assert refused.status_code == 409
        assert NO_ROW.format(engine=engine) in notices(refused)
        assert table(refused) == {"apple": 1}


@pytest.mark.thorough
@pytest.mark.parametrize("engine", ["cached_db", "cache", "file", "signed_cookies"])
def test_no_engine_keeps_more(engine, monkeypatch):
    monkeypatch.setattr(wire_visitor, "LIMIT", PATIENCE)
    environ = {"SESSION_ENGINE": f"django.contrib.sessions.backends.{engine}"}
    server = LabServer(settings.FOLDER, migrate=True, server="waitress", environ=environ)
    try:
        visitor = WireVisitor(server.port)
        runs = RaceRuns()
        response = runs.race(visitor, "naive", tabs=10, adds=50)
        assert kept(response) == "5 of 50"
        if engine == "cached_db":
            assert kept(runs.race(visitor, "locked", tabs=10, adds=50)) == "50 of 50"
    finally:
        server.stop()


def test_without_the_panel_the_race_is_the_same(monkeypatch):
    monkeypatch.setattr(wire_visitor, "LIMIT", PATIENCE)
    environ = {"LAB_PANEL": "0"}
    server = LabServer(settings.FOLDER, migrate=True, server="waitress", environ=environ)
    try:
        visitor = WireVisitor(server.port)
        runs = RaceRuns()
        assert kept(runs.race(visitor, "naive", tabs=10, adds=50)) == "5 of 50"
        locked = runs.race(visitor, "locked", tabs=10, adds=50)
        assert kept(locked) == "50 of 50"
        assert sorted(int(fate["saved"]) for fate in fates(locked)) == list(range(1, 11))
    finally:
        server.stop()


@pytest.mark.in_process
@pytest.mark.parametrize("way", WAYS)
def test_a_deleted_session_is_not_brought_back_by_the_next_add(visitor, way):
    pages.add(visitor, way, name="pear")
    key = visitor.jar.get("sessionid_12").value
    Session.objects.all().delete()
    assert table(pages.add(visitor, way)) == {"apple": 1}
    assert visitor.jar.get("sessionid_12").value != key


# The timeline


def steps(text):
    """Return the steps of a wave. "1r0 2r0 1s1": tabs 1 and 2 read 0, tab 1 saved 1."""
    kinds = {"a": "waits", "r": "read", "s": "saved"}
    return [Step(1, int(word[0]), kinds[word[1]], int(word[2:] or 0)) for word in text.split()]


@pytest.mark.parametrize(
    ("happened", "lost_to"),
    [
        ("1r0 1s1 2r1 2s2", [None, None]),
        ("1r0 2r0 1s1 2s1", [2, None]),
        ("1r0 2r0 2s1 1s1", [None, 1]),
        # Tab 3 had read tab 1's add, so its save restores that add.
        (
            "1r0 2r0 1s1 3r1 2s1 3s2",
            [None, 3, None],
        ),
    ],
)
def test_the_timeline_tells_who_saved_over_whom(happened, lost_to):
    adds = sorted(Timeline(steps(happened), 3).adds, key=lambda add: add.tab)
    assert [add.over and add.over.tab for add in adds] == lost_to
    assert [add.kept for add in adds] == [tab is None for tab in lost_to]


def test_an_add_that_was_never_saved_is_not_kept():
    adds = Timeline(steps("1r0 2r0 1s1"), 2).adds
    assert {add.tab: add.kept for add in adds} == {1: True, 2: False}


def test_the_timeline_tells_who_waited():
    picture = Timeline(steps("1a 2a 1r0 1s1 2r1 2s2"), 2).svg()
    assert picture.count('class="waits"') == 2
    assert picture.count('class="kept"') == 2


def race(tabs, waves=1):
    """Check that all tabs of each wave read the same number, and save that number plus one."""
    of_wave = [
        [Step(wave, tab, kind, wave - (kind == "read")) for tab in range(1, tabs + 1)]
        for wave in range(1, waves + 1)
        for kind in ("read", "saved")
    ]
    return Timeline([step for some in of_wave for step in some], tabs)


@pytest.mark.parametrize(("tabs", "waves", "folded"), [(2, 3, 0), (10, 1, 0), (50, 1, 38)])
def test_each_add_of_the_picture_has_a_row(tabs, waves, folded):
    timeline = race(tabs, waves)
    picture = ElementTree.fromstring(timeline.svg())
    rows = [group for group in picture.iter("g") if group.get("data-tab")]
    assert len(rows) == len(timeline.shown) - folded <= 12
    assert [fold.get("data-folded") for fold in picture.iter() if "data-folded" in fold.attrib] == (
        [str(folded)] if folded else []
    )
    heights = [float(row.find("text").get("y")) for row in rows]
    assert all(high - low >= 24 for low, high in pairwise(heights))


@pytest.mark.parametrize(("tabs", "waves"), [(2, 3), (10, 1), (50, 1)])
def test_no_text_of_the_picture_is_under_a_line(tabs, waves):
    picture = ElementTree.fromstring(race(tabs, waves).svg())
    lines = [line for line in picture.iter("line") if line.get("class") != "over"]
    ends = [float(line.get(name)) for line in lines for name in ("x1", "x2")]
    boxes = [(float(r.get("x")), float(r.get("width"))) for r in picture.iter("rect")]
    ends += [end for x, width in boxes for end in (x, x + width)]
    for text in picture.iter("text"):
        if text.get("class") == "says":
            assert float(text.get("x")) > max(ends)
        elif text.get("class") == "tab":
            assert float(text.get("x")) < min(ends)


@pytest.mark.parametrize(("tabs", "waves"), [(2, 3), (10, 1), (50, 1)])
def test_every_arrow_ends_at_a_lost_add(tabs, waves):
    picture = ElementTree.fromstring(race(tabs, waves).svg())
    places = {
        class_: [
            (float(text.get("x")), float(text.get("y")))
            for text in picture.iter("text")
            if text.get("class") == class_
        ]
        for class_ in ("end", "tab")
    }
    arrows = [line for line in picture.iter("line") if line.get("class") == "over"]
    assert arrows
    for arrow in arrows:
        x, start, end = (float(arrow.get(name)) for name in ("x1", "y1", "y2"))
        assert any(x == a and abs(end - b) <= 8 for a, b in places["end"])
        assert any(start == y for _, y in places["tab"])


@pytest.mark.parametrize("happened", ["", "1a", "1r0"])
def test_a_race_in_which_little_happens_has_a_picture_too(happened):
    assert "<svg" in Timeline(steps(happened), 2).svg()
