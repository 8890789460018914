"""Test a lab's report on its latest exchanges, which the console reads."""

import pytest

from labkit.panel.exchange_log import log
from labkit.panel.live_report import report
from labkit.panel.models import StoreOperation, take_snapshot

DATA, CHANGED = take_snapshot({"cart": 1}), take_snapshot({"cart": 2})
LOAD = StoreOperation("load", 1, "k", DATA)
SAVE = StoreOperation("save", 1, "k", CHANGED)
FORM = {"method": "POST", "path": "/add/", "peer": "127.0.0.1", "agent": "", "scheme": "http"}


@pytest.fixture(autouse=True)
def empty_log():
    log.clear()
    yield
    log.clear()


def add(*operations, path="/add/", cookies="", **fields):
    """Log an exchange of a visitor who has a session."""
    request = FORM | {"path": path, "host": "127.0.0.1", "cookie_header": cookies}
    exchange = log.begin(**request)
    exchange.engine, exchange.store_id, exchange.status = "x.db", 1, 200
    exchange.operations, exchange.accesses = list(operations), {1: {("views.py", 7, False): True}}
    for name, value in fields.items():
        setattr(exchange, name, value)
    log.add(exchange)
    return exchange


def highlights(exchange):
    return [words["highlight"] for step in exchange["steps"] for words in step]


@pytest.mark.parametrize(
    ("operations", "fields", "expected"),
    [
        ([LOAD], {}, set()),
        ([StoreOperation("create", 1, "k", DATA, modified=True)], {"key": "k"}, {"created"}),
        ([LOAD, StoreOperation("delete", 1, "k")], {}, {"deleted"}),
        ([LOAD], {"session_after": CHANGED}, {"lost"}),
        ([LOAD, StoreOperation("save", 1, "k", error="UpdateError: ")], {}, {"lost"}),
        ([LOAD], {"modified": True, "status": 500}, {"lost", "failed"}),
        ([LOAD, SAVE], {"engine": "x.signed_cookies", "key": "k"}, {"lost"}),
        ([], {"status": 403}, {"refused"}),
        ([], {"status": 400}, {"refused"}),
        ([], {"status": 404}, set()),
        ([], {"set_cookies": ["a=1; Domain=elsewhere.example"]}, {"refused"}),
        ([], {"set_cookies": ["a=1"]}, set()),
    ],
)
def test_what_a_class_should_see_stands_out(operations, fields, expected):
    add(*operations, **fields)
    (exchange,) = report(5)["exchanges"]
    assert set(highlights(exchange)) - {""} == expected


def test_a_page_has_the_redirect_that_led_to_it():
    redirect = add(StoreOperation("create", 1, "k", DATA), key="k", location="/display/")
    add(LOAD, path="/display/")
    page, before = report(5)["exchanges"]
    assert (page["redirect"], before["redirect"]) == (redirect.number, None)
    assert page["steps"][0] == before["steps"][0]
    assert len(page["steps"]) == 2
