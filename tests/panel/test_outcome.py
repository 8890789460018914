"""Test the outcome that the panel derives from an exchange's operations."""

import pytest

from labkit.panel.exchange_log import log
from labkit.panel.exchange_outcome import Outcome, SaveCause, SessionEvent
from labkit.panel.exchange_words import session_words
from labkit.panel.models import StoreOperation, take_snapshot
from labkit.panel.session_explanations import SessionReport
from labkit.panel.session_memory import KeyFate

DATA = take_snapshot({"cart": {"tea": 1}})
CHANGED = take_snapshot({"cart": {"tea": 2}})
LOAD = StoreOperation("load", 1, "k", DATA)
SAVE = StoreOperation("save", 1, "k", CHANGED, modified=True)
CREATE = StoreOperation("create", 1, "new", CHANGED, modified=True)
SAVE_NEW = StoreOperation("save", 1, "new", CHANGED, modified=True)
MISSED = StoreOperation("load", 1, "k", take_snapshot({}), found=False, key_fate=KeyFate.UNKNOWN)
LOAD_NOTHING = StoreOperation("load", 1, None, take_snapshot({}), found=False)
DELETE = StoreOperation("delete", 1, "k")
OTHER = StoreOperation("save", 2, "other", CHANGED, modified=True)
READ = {("lab/views.py", 7, False): True}


def outcome(*operations, accesses=READ, engine="x.db", **fields):
    exchange = log.begin(
        method="GET",
        path="/",
        peer="127.0.0.1",
        agent="",
        host="127.0.0.1",
        scheme="http",
        cookie_header="sessionid=k",
    )
    exchange.engine, exchange.store_id, exchange.status = engine, 1, 200
    exchange.operations, exchange.accesses = list(operations), {1: accesses} if accesses else {}
    for name, value in fields.items():
        setattr(exchange, name, value)
    return Outcome(exchange)


@pytest.mark.parametrize(
    ("event", "operations", "fields"),
    [
        ("untouched", [], {"accesses": None}),
        ("untouched", [OTHER], {"accesses": None}),
        ("read", [LOAD], {"session_after": DATA}),
        ("created", [LOAD, CREATE], {"session_after": CHANGED, "key": "new"}),
        ("saved", [LOAD, SAVE], {"session_after": CHANGED, "key": "k", "modified": True}),
        ("created", [CREATE, SAVE_NEW], {"session_after": CHANGED, "key": "new"}),
        ("created", [MISSED, CREATE], {"session_after": CHANGED, "key": "new"}),
        ("created", [DELETE, CREATE, MISSED], {"session_after": CHANGED, "key": "new"}),
        ("new-key", [LOAD, CREATE, DELETE, SAVE_NEW], {"session_after": CHANGED, "key": "new"}),
        ("new-key", [LOAD, CREATE, DELETE], {"session_after": CHANGED, "key": "new"}),
        ("replaced", [LOAD, DELETE, CREATE, SAVE_NEW], {"key": "new"}),
        ("deleted", [LOAD, DELETE], {}),
        ("empty", [LOAD], {"modified": True}),
        ("discarded", [LOAD], {"modified": True, "status": 500}),
        ("change-lost", [LOAD], {"session_after": CHANGED}),
        ("not-delivered", [LOAD, SAVE], {"engine": "x.signed_cookies", "key": "k"}),
        ("saved", [SAVE], {"engine": "x.signed_cookies", "set_cookies": ["sessionid=v"]}),
        (
            "deleted-by-other",
            [LOAD, StoreOperation("save", 1, "k", error="UpdateError: ")],
            {"status": 400},
        ),
        ("save-failed", [LOAD, StoreOperation("save", 1, "k", error="Full: disk")], {}),
        ("load-failed", [StoreOperation("load", 1, "k", error="OperationalError: gone")], {}),
    ],
)
def test_one_event_decides_the_outcome(event, operations, fields):
    found = outcome(*operations, **fields)
    assert found.event == event
    assert session_words(found)
    assert SessionReport(found.exchange).reason


def test_the_bar_says_no_session_only_after_looking():
    unused = outcome(accesses=None, cookie_header="")
    looked = outcome(LOAD_NOTHING, cookie_header="")
    assert session_words(unused) != session_words(looked)
    assert not session_words(unused).startswith("no session")
    given = outcome(accesses=None, set_cookies=["sessionid=new; Path=/"])
    assert session_words(given) == session_words(unused)
    assert SessionReport(given.exchange).reason != SessionReport(unused.exchange).reason


def test_the_cases_above_cover_every_event():
    (mark,) = test_one_event_decides_the_outcome.pytestmark
    assert {case[0] for case in mark.args[1]} == set(SessionEvent)


@pytest.mark.parametrize(
    ("cause", "save", "every_request", "status"),
    [
        (SaveCause.MODIFIED, SAVE, False, 200),
        (SaveCause.EVERY_REQUEST, StoreOperation("save", 1, "k", DATA), True, 200),
        (SaveCause.VIEW, StoreOperation("save", 1, "k", DATA), False, 200),
        (SaveCause.VIEW, SAVE, False, 500),
    ],
)
def test_a_save_has_one_cause(settings, cause, save, every_request, status):
    settings.SESSION_SAVE_EVERY_REQUEST = every_request
    assert outcome(LOAD, save, key="k", status=status).save_cause is cause


def test_a_failed_store_is_quoted_to_the_instructor_only():
    exchange = outcome(StoreOperation("load", 1, "k", error="OperationalError: gone")).exchange
    assert "OperationalError: gone" in SessionReport(exchange).reason
    assert "gone" not in SessionReport(exchange, details=False).reason


@pytest.mark.parametrize(
    ("before", "after", "operations", "fields"),
    [
        ("k", "k", [LOAD], {}),
        ("k", "k", [], {}),
        ("", "", [StoreOperation("load", 1, "k", found=False)], {}),
        ("k", "new", [LOAD, CREATE, DELETE], {"key": "new"}),
        ("k", "", [LOAD, DELETE], {}),
        ("k", "k", [LOAD, StoreOperation("save", 1, "k", error="Full: disk")], {}),
    ],
)
def test_the_session_key_before_and_after(before, after, operations, fields):
    found = outcome(*operations, **fields)
    assert (found.key_before, found.key_after) == (before, after)


@pytest.mark.parametrize(
    ("why", "operations", "fields"),
    [
        ("load-failed", [StoreOperation("load", 1, "k", error="OperationalError: gone")], {}),
        ("too-large", [StoreOperation("load", 1, "k", None)], {}),
        ("rewritten", [CREATE], {"session_after": CHANGED}),
        ("not-loaded", [], {}),
        ("empty", [StoreOperation("load", 1, "k", take_snapshot({}))], {}),
        ("", [LOAD], {}),
    ],
)
def test_entries_are_compared_unless_there_is_a_reason_not_to(why, operations, fields):
    report = SessionReport(outcome(*operations, **fields).exchange)
    assert report.no_entries == why
    assert bool(report.no_entries_text) == bool(why)
    assert bool(report.entries) != bool(why)


def test_new_changed_and_removed_entries_are_marked():
    load = StoreOperation("load", 1, "k", take_snapshot({"a": 1, "b": 1, "c": 1}))
    after = take_snapshot({"a": 1, "b": 2, "d": 1})
    report = SessionReport(outcome(load, SAVE, session_after=after).exchange)
    assert {key: change for key, _, _, change in report.entries} == {
        "a": "",
        "b": "changed",
        "c": "removed",
        "d": "new",
    }
