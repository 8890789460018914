"""Test a lab's report on its latest exchanges, which the console reads."""

import re

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


def fields(value, name=""):
    """Yield the dotted name of each field in an exchange; `[]` stands for the items of a list."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from fields(each, f"{name}.{key}" if name else key)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        yield from fields(value[0], f"{name}[]")
    else:
        yield name


def documented(checkout):
    """Yield the names of the fields in the table of docs/testing.md."""
    document = (checkout.root / "docs/testing.md").read_text("utf-8")
    section = document.partition("\n## The exchanges as JSON\n")[2].partition("\n## ")[0]
    for names, meaning in re.findall(r"^\| (`.+?) \| (.+) \|$", section, re.MULTILINE):
        first, *others = re.findall("`([^`]+)`", names)
        if first.startswith("outcome.") and first != "outcome.request.connection":
            parts = re.sub(r"\([^)]*\)|`null`", "", meaning)  # without examples of values
            yield from (f"{first}.{each}" for each in re.findall("`([^`]+)`", parts))
        else:
            yield from [first, *others]


def test_every_field_is_documented(checkout):
    operation = StoreOperation("create", 1, "k", DATA, modified=True)
    add(operation, cookies="a=1", set_cookies=["b=2; Max-Age=60"], key="k")
    (exchange,) = report(5)["exchanges"]
    found = {name for name in fields(exchange) if not name.startswith("steps[")} | {"steps"}
    assert set(documented(checkout)) == found


def test_a_brief_report_has_no_outcomes():
    add(LOAD)
    assert "outcome" in report(5)["exchanges"][0]
    assert "outcome" not in report(5, brief=True)["exchanges"][0]


def test_an_outcome_tells_what_became_of_each_cookie():
    sets = ["a=1; Max-Age=60", "a=1; Domain=elsewhere.example", "a=; Max-Age=0"]
    add(LOAD, cookies="a=1", set_cookies=sets)
    outcome = report(5)["exchanges"][0]["outcome"]
    found = [
        (each["effect"], each["lifetime"], bool(each["refusal"])) for each in outcome["cookies"]
    ]
    assert found == [("set", 60, False), ("refused", None, True), ("deleted", None, False)]
    assert [each["kind"] for each in outcome["store"]] == ["load"]
    assert outcome["session"]["event"] == "read"


def test_a_lab_without_sessions_reports_none():
    add(engine="")
    assert report(5)["exchanges"][0]["outcome"]["session"] is None
