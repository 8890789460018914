"""`lab cookie` explains what a browser does with a Set-Cookie header."""

import json

import pytest
from click.testing import CliRunner
from cookie_cases import CASES
from cookie_runs import cause
from cookie_steps import Request, Set

from labkit.cli import main
from labkit.commands.cookie import DELETES, NO_COOKIE, NOT_SENT, REFUSED, SENT, STORED
from labkit.cookie_report import explain_cookie
from labkit.http.cookie_rules import Rule
from labkit.http.origin import Origin

# A call of the command with a cookie and later requests.
ASKABLE = [
    case
    for case in CASES
    if isinstance(case.steps[0], Set)
    and len(case.steps[0].lines) == 1
    and all(isinstance(step, Request) for step in case.steps[1:])
]


def explain(*words):
    return CliRunner().invoke(main, ["cookie", *words])


@pytest.mark.parametrize("case", ASKABLE, ids=[case.name for case in ASKABLE])
def test_it_agrees_with_the_conformance_table(case):
    first, *requests = case.steps
    context = cause(first.by, first.page)
    for request in requests:
        later = Origin.of(request.url), cause(request.by, request.page)
        report = explain_cookie(first.lines[0], Origin.of(first.url), [later], context)
        sent = [each for each in report.later if each.is_sent]
        assert [report.cookie.pair for _ in sent] == [request.header] * bool(request.header)
        if not request.header and not report.deletes:
            refusal = report.refusal or report.later[0].refusal
            assert refusal.rule.url.startswith("https://")
            assert refusal.rule.repair.endswith(".")


def test_most_of_the_conformance_table_can_be_asked():
    assert len(ASKABLE) > len(CASES) / 2


@pytest.mark.parametrize("rule", Rule)
def test_every_rule_has_a_source_and_a_repair(rule):
    assert rule.url.startswith("https://www.ietf.org/archive/id/draft-")
    assert rule.url.endswith((rule.place, ".html"))
    assert rule.repair.endswith(".")


def test_a_refused_cookie_has_its_rule_and_repair():
    run = explain("a=1; Domain=com", "--at", "https://shop.example/cart/")
    assert run.exit_code == 0
    assert REFUSED.partition("{")[0] in run.stdout
    assert Rule.PUBLIC_SUFFIX.url in run.stdout
    assert Rule.PUBLIC_SUFFIX.repair in run.stdout


def test_a_later_request_says_why_it_sends_nothing():
    run = explain(
        *("a=1; Secure", "--at", "https://shop.example/", "--then", "http://shop.example/"),
        *("--then", "https://shop.example/"),
    )
    stored, withheld, sent = (
        run.stdout.index(text.partition("{")[0]) for text in (STORED, NOT_SENT, SENT)
    )
    assert stored < withheld < sent
    assert Rule.SECURE_TARGET.repair in run.stdout


def test_another_sites_form_counts_as_such():
    words = ("a=1; SameSite=Strict", "--from", "https://other.example/", "--json")
    report = json.loads(explain(*words).stdout)
    assert report["stored"]
    assert report["later"][0]["refusal"]["rule"] == Rule.STRICT.source


def test_a_deletion_is_named():
    assert DELETES in explain("a=; Max-Age=0").stdout


@pytest.mark.parametrize(
    ("attribute", "shown"), [("Partitioned; Secure", True), ("Priority=Low", True), ("", False)]
)
def test_chromiums_own_attributes_are_explained(attribute, shown):
    report = json.loads(explain(f"a=1; {attribute}", "--json").stdout)
    names = {each["name"] for each in report["attributes"]}
    assert bool(names & {"Partitioned", "Priority"}) is shown


@pytest.mark.parametrize(
    "words",
    [
        ["", "--at", "https://shop.example/"],
        ["a=1", "--at", "shop.example"],
        ["a=1", "--embedded"],
    ],
    ids=["nothing", "no scheme", "embedded in what"],
)
def test_a_wrong_word_is_one_sentence(words):
    run = explain(*words)
    assert run.exit_code == 2
    assert "Traceback" not in run.output
    assert run.output.strip().splitlines()[-1].startswith("Error: ")


def test_the_headers_name_may_stand_before_it():
    run = explain("Set-Cookie: a=1; Path=/")
    assert STORED in run.stdout
    assert NO_COOKIE not in run.output
