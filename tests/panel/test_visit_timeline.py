"""Test what a visit's timeline concludes from exchanges, and how it is drawn."""

import pytest
from django.conf import settings

from labkit.panel.exchange_log import Log
from labkit.panel.models import ControlUse, Exchange, StoreOperation
from labkit.panel.visit import words
from labkit.panel.visit.bars import Event, Look
from labkit.panel.visit.drawing import Drawing
from labkit.panel.visit.event_table import OPEN, entries
from labkit.panel.visit.timeline import timeline
from labkit.panel.visit.visits import visits

SESSION = settings.SESSION_COOKIE_NAME
DB = "django.contrib.sessions.backends.db"
START = 1_900_000_000.0  # POSIX seconds
BROWSER = {"peer": "127.0.0.1", "agent": "x", "host": "127.0.0.1:8004", "scheme": "http"}


class Visits:
    """A log in which the test sets the times of the exchanges."""

    def __init__(self):
        self.log = Log()
        self.ahead = 0.0
        self._count = 0

    def _exchange(self, real, fields):
        self._count += 1
        request = BROWSER | {"method": "GET", "path": "/"} | fields
        times = (START + real + self.ahead, self.ahead, self._count * 10.0)
        return Exchange(self._count, f"token{self._count}", *times, **request)

    def add(self, real, cookies="", sets=(), operations=(), engine=DB, **fields):
        """Log an exchange `real` seconds after START, by the browser's clock."""
        exchange = self._exchange(real, {"cookie_header": cookies} | fields)
        exchange.engine, exchange.status, exchange.store_id = engine, 200, 1
        exchange.set_cookies, exchange.operations = list(sets), list(operations)
        self.log.add(exchange)
        return exchange

    def move_clock(self, real, seconds):
        use = ControlUse("clock", self._exchange(real, {}), seconds)
        self.log.controls.append(use)
        self.ahead += seconds

    def timeline(self, real):
        (visit,) = [each for each in visits(self.log) if each.exchanges[0].agent == "x"]
        return timeline(visit, START + real + self.ahead, self.ahead)


@pytest.fixture
def seen():
    return Visits()


def save(expires, kind="create", key="k" * 32):
    return StoreOperation(kind, 1, key, expires=START + expires)


def load(found=True, key="k" * 32):
    return StoreOperation("load", 1, key, found=found)


def events(bar):
    return [mark.event for mark in bar.marks]


def looks(bar):
    """Return (look, start, end) of each piece, in seconds after START on the bar's clock."""
    clock = "real" if bar.place == "browser" else "server"
    ends = [(each, each.start, each.end) for each in bar.pieces]
    return [
        (each.look, *(None if at is None else getattr(at, clock) - START for at in (start, end)))
        for each, start, end in ends
    ]


# Cookies


def test_a_cookie_is_predicted_until_a_request_sends_it(seen):
    seen.add(0, sets=["a_04=1; Max-Age=120"])
    seen.add(30, "a_04=1")
    (bar,) = seen.timeline(40).cookies
    assert looks(bar) == [(Look.KEPT, 0, 30), (Look.PREDICTED, 30, 120)]
    assert events(bar) == [Event.SET, Event.PREDICTED]


def test_a_request_without_the_cookie_confirms_its_expiry(seen):
    seen.add(0, sets=["a_04=1; Max-Age=120"])
    seen.add(200)
    (bar,) = seen.timeline(300).cookies
    assert looks(bar) == [(Look.KEPT, 0, 120)]
    assert (events(bar), bar.predicted) == ([Event.SET, Event.EXPIRED], None)


def test_a_session_cookie_has_an_open_end(seen):
    seen.add(0, sets=["a_04=1"])
    (bar,) = seen.timeline(10).cookies
    assert bar.is_open
    assert bar.pieces[-1].end is None


def test_a_cookie_that_is_not_sent_may_come_back(seen):
    seen.add(0, sets=["a_04=1; Max-Age=120"])
    seen.add(10, "a_04=1")
    seen.add(20)  # as if cookies were blocked
    seen.add(30, "a_04=1")
    (bar,) = seen.timeline(40).cookies
    assert looks(bar) == [
        (Look.KEPT, 0, 10),
        (Look.UNKNOWN, 10, 20),
        (Look.PREDICTED, 30, 120),
    ]
    assert events(bar) == [Event.SET, Event.NOT_SENT, Event.PREDICTED]


def test_another_path_does_not_send_the_cookie(seen):
    seen.add(0, path="/forms/", sets=["a_04=1; Max-Age=120; Path=/forms/"])
    seen.add(10, path="/")
    (bar,) = seen.timeline(20).cookies
    assert events(bar) == [Event.SET, Event.PREDICTED]


def test_a_request_on_its_way_does_not_miss_a_cookie(seen):
    first = seen.add(0, sets=["a_04=1; Max-Age=120"])
    first.duration = 50.0  # the second request begins before this response arrives
    seen.add(1)
    (bar,) = seen.timeline(20).cookies
    assert events(bar) == [Event.SET, Event.PREDICTED]


def test_refused_and_earlier_cookies_are_marked(seen):
    old, new = f"b_{settings.LAB}", f"a_{settings.LAB}"
    seen.add(0, f"{old}=5; other=1", sets=[f"{new}=1; Domain=elsewhere.example"])
    found = {bar.name: events(bar) for bar in seen.timeline(10).cookies}
    assert found == {old: [Event.FOUND], new: [Event.REFUSED]}


def test_a_deletion_ends_a_cookie(seen):
    seen.add(0, sets=["a_04=1; Max-Age=120; Path=/"])
    seen.add(10, "a_04=1", sets=["a_04=; Max-Age=0; Path=/"])
    (bar,) = seen.timeline(20).cookies
    assert looks(bar) == [(Look.KEPT, 0, 10)]
    assert events(bar) == [Event.SET, Event.DELETED]


def test_deleting_an_absent_cookie_draws_nothing(seen):
    seen.add(0, sets=["a_04=; Max-Age=0"])
    assert seen.timeline(10).cookies == []


def test_djangos_csrf_cookie_is_drawn_last(seen):
    csrf = settings.CSRF_COOKIE_NAME
    seen.add(0, sets=[f"{csrf}=1; Max-Age=120"])
    seen.add(10, f"{csrf}=1", sets=["a_04=1"])
    assert [bar.name for bar in seen.timeline(20).cookies] == ["a_04", csrf]


# The store


def test_a_jump_expires_the_row_but_not_the_cookie(seen):
    seen.add(0, sets=[f"{SESSION}=k; Max-Age=120"], operations=[save(120)])
    seen.move_clock(10, 300)
    shown = seen.timeline(20)
    (cookie,), (row,) = shown.cookies, shown.records
    assert looks(row) == [(Look.PREDICTED, 0, 120), (Look.EXPIRED, 120, 320)]
    end = row.predicted
    assert (end.real - START, end.ahead) == (10, 110)  # inside the jump
    assert cookie.predicted.real - START == 120
    assert [move.seconds for move in shown.clocks.moves] == [300]


def test_a_load_without_a_session_confirms_the_expiry(seen):
    seen.add(0, operations=[save(120)])
    seen.add(130, operations=[load(found=False)])
    (row,) = seen.timeline(140).records
    assert events(row) == [Event.SET, Event.EXPIRED]
    assert looks(row) == [(Look.KEPT, 0, 120), (Look.EXPIRED, 120, 140)]


def test_a_clock_moved_back_revives_the_row(seen):
    seen.add(0, operations=[save(120)])
    seen.move_clock(10, 300)
    seen.move_clock(20, -300)
    (row,) = seen.timeline(30).records
    assert looks(row) == [
        (Look.PREDICTED, 0, 120),
        (Look.EXPIRED, 120, 20),
        (Look.PREDICTED, 20, 120),
    ]
    assert events(row) == [Event.SET, Event.PREDICTED, Event.REVIVED, Event.PREDICTED]
    assert row.predicted.real - START == 120


def test_another_visitor_can_clear_the_expired_row(seen):
    seen.add(0, operations=[save(120)])
    seen.add(130, operations=[StoreOperation("clear", 0, None)], agent="y")
    (row,) = seen.timeline(140).records
    assert events(row) == [Event.SET, Event.EXPIRED, Event.CLEARED]


def test_clearing_keeps_a_row_that_has_not_expired(seen):
    seen.add(0, operations=[save(120)])
    seen.add(100, operations=[StoreOperation("clear", 0, None)])
    (row,) = seen.timeline(110).records
    assert events(row) == [Event.SET, Event.PREDICTED]


def test_a_session_that_vanishes_early_is_gone(seen):
    seen.add(0, operations=[save(120)])
    seen.add(10, operations=[load(found=False)])
    (row,) = seen.timeline(20).records
    assert looks(row) == [(Look.UNKNOWN, 0, 10)]
    assert events(row) == [Event.SET, Event.GONE]


@pytest.mark.parametrize(
    ("engine", "kinds"),
    [
        ("db", ["row"]),
        ("cached_db", ["entry", "row"]),
        ("cache", ["entry"]),
        ("file", ["file"]),
        ("signed_cookies", []),
    ],
)
def test_each_engine_has_its_own_kinds_of_record(seen, engine, kinds):
    seen.add(0, operations=[save(120)], engine=f"django.contrib.sessions.backends.{engine}")
    assert [bar.kind for bar in seen.timeline(10).records] == kinds


def test_other_visitors_sessions_are_left_out(seen):
    seen.add(0, operations=[save(120)])
    seen.add(1, operations=[save(120, key="z" * 32)], agent="y")
    assert [bar.name for bar in seen.timeline(10).records] == ["k" * 32]


# The drawing


def test_long_idle_time_is_shortened_and_said_so(seen):
    for real in (0, 2, 4, 3604, 3606):
        seen.add(real)
    drawing = Drawing(seen.timeline(3608))
    assert [band.text for band in drawing.folds] == [words.short_distance(3600)]
    xs = [each.x for each in drawing.requests]
    assert xs == sorted(xs)
    assert xs[3] - xs[2] < 0.4 * (xs[-1] - xs[0])


def test_a_jump_has_room_on_the_axis(seen):
    seen.add(0, operations=[save(120)])
    seen.move_clock(10, 300)
    seen.add(11)
    drawing = Drawing(seen.timeline(12))
    (jump,) = drawing.jumps
    (sign,) = drawing.store.rows[0].signs
    assert jump.x < sign.x < jump.x + jump.width
    assert drawing.two_clocks


def test_the_table_has_every_event_in_order(seen):
    seen.add(0, sets=["a_04=1; Max-Age=120"], operations=[save(60)])
    seen.move_clock(10, 90)
    seen.add(20, "a_04=1", operations=[load(found=False)])
    found = [(each.kind, each.event) for each in entries(seen.timeline(30))]
    assert found == [
        ("request", ""),
        ("store", "expired"),
        ("move", ""),
        ("request", ""),
        ("browser", "predicted"),
    ]


def test_a_visit_of_one_request_can_be_drawn(seen):
    seen.add(0)
    drawing = Drawing(seen.timeline(0))
    assert len(drawing.requests) == 1
    assert (drawing.browser.rows, drawing.store.rows) == ([], [])


def test_the_table_has_open_ends_too(seen):
    seen.add(0, sets=["a_04=1"], operations=[StoreOperation("create", 1, "k" * 32)])
    found = [(each.kind, each.event) for each in entries(seen.timeline(30))]
    assert found == [("request", ""), ("browser", OPEN), ("store", OPEN)]
