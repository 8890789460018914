"""`lab cookie` explains what a browser does with a Set-Cookie header."""

import json

import pytest
from click.testing import CliRunner
from cookie_cases import CASES
from cookie_runs import cause
from cookie_steps import Age, Reopen, Request, Script, Set, Stored, Wait

from labkit.cli import main
from labkit.commands.cookie import (
    DELETES,
    NO_COOKIE,
    NOT_SENT,
    NOTHING_SENT,
    REFUSED,
    SENT,
    STORED,
)
from labkit.cookie_report import LAX_AND_POST, explain_cookie
from labkit.http.cookie_rules import Rule
from labkit.http.origin import Context, Origin

# `lab cookie` receives headers and sends requests, one after another. It runs no script, and lets
# no time pass.
NOT_ASKABLE = (Script, Age, Wait, Reopen)


def questions(case):
    """Yield (earlier headers, last header, its context, what is stored, request).

    There is one tuple for each request of the case that the command can express.
    """
    headers, context, stored = [], Context(), None
    for step in case.steps:
        match step:
            case Set(url, lines, by, page):
                headers += [(Origin.of(url), line) for line in lines]
                context = cause(by, page)
            case Stored():
                stored = step
            case Request(_, _, by, _) if by != "script" and headers:
                yield headers[:-1], headers[-1], context, stored, step
            case _:
                return


ASKED = {case.name: list(questions(case)) for case in CASES}
LEFT_OUT = [case for case in CASES if not ASKED[case.name]]


def explain(*words):
    return CliRunner().invoke(main, ["cookie", *words])


@pytest.mark.parametrize("name", [name for name, asked in ASKED.items() if asked])
def test_it_agrees_with_the_conformance_table(name):
    for before, (source, line), context, stored, request in ASKED[name]:
        later = Origin.of(request.url), cause(request.by, request.page)
        report = explain_cookie(line, source, [later], context, before)
        assert "".join(each.header for each in report.later) == request.header
        if stored and report.cookie and not report.deletes:
            assert (report.cookie.expires is None) == (report.cookie.name in stored.session.split())


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_every_refusal_in_the_table_has_a_rule(case):
    requests = [step for step in case.steps if isinstance(step, Request)]
    later = [(Origin.of(each.url), cause(each.by, each.page)) for each in requests]
    for step in case.steps:
        for line in step.lines if isinstance(step, Set) else ():
            context = cause(step.by, step.page)
            report = explain_cookie(line, Origin.of(step.url), later, context)
            found = [each.refusal for each in report.later if not each.is_sent]
            if report.cookie is None:
                found.append(report.refusal)
            assert report.deletes or len(report.later) == (len(later) if report.cookie else 0)
            for refusal in found:
                assert refusal.rule.url.startswith("https://")
                assert refusal.rule.repair.endswith(".")


def test_only_scripts_and_time_cannot_be_asked():
    for case in LEFT_OUT:
        requests = [step for step in case.steps if isinstance(step, Request)]
        if requests:  # a case without requests checks only the jar
            by_script = any(step.by == "script" for step in requests)
            assert by_script or any(isinstance(step, NOT_ASKABLE) for step in case.steps), case.name
    assert len(LEFT_OUT) < len(CASES) / 15


def test_earlier_cookies_are_replaced_or_sent_too():
    first, other = ("https://shop.example/", "a=1"), ("https://shop.example/", "b=2; Path=/")
    run = explain("a=3", "--before", *first, "--before", *other, "--json")
    assert json.loads(run.stdout)["later"][0]["cookie_header"] == "b=2; a=3"
    assert SENT.format(pair="b=2") in explain("a=; Max-Age=0", "--before", *other).stdout
    assert NOTHING_SENT in explain("a=; Max-Age=0", "--before", *first).stdout
    kept = explain("a=3", "--at", "http://shop.example/", "--before", first[0], "a=1; Secure")
    assert REFUSED.partition("{")[0] in kept.stdout


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


def test_a_cookie_without_samesite_is_not_called_default():
    words = ("--from", "https://other.example/", "--embedded")
    shown = explain("a=1", *words).stdout
    assert "Default" not in shown
    assert Rule.EMBEDDED.repair in shown


def test_a_refused_cookie_has_no_absent_attributes():
    report = json.loads(explain("a=1; Domain=com; Path=/", "--json").stdout)
    assert [each["name"] for each in report["attributes"]] == ["Path", "Domain"]


@pytest.mark.parametrize(
    ("attributes", "method", "is_said"),
    [("", "POST", True), ("; SameSite=None; Secure", "POST", False), ("", "GET", False)],
)
def test_chromiums_exception_for_new_cookies_is_named(attributes, method, is_said):
    words = ("--from", "https://other.example/", "--method", method)
    assert (LAX_AND_POST in explain(f"a=1{attributes}", *words).stdout) is is_said


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
