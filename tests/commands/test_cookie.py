"""`lab cookie` explains what a browser does with a Set-Cookie header."""

import json

import pytest
from click.testing import CliRunner
from cookie_cases import CASES
from cookie_runs import cause
from cookie_steps import Age, Reopen, Request, Script, Set, Stored, Wait

from labkit.cli import main
from labkit.commands.cookie import (
    ALSO_REFUSED,
    DELETES,
    NO_COOKIE,
    NOT_SENT,
    NOTHING_SENT,
    REFUSED,
    SENT,
    STORED,
    WARNING,
)
from labkit.cookie_report import LAX_AND_POST, NEVER_STORED, explain_cookie
from labkit.http.cookie_repairs import REPAIRS
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


def agrees(before, question, context, stored, request):
    source, line = question
    later = Origin.of(request.url), cause(request.by, request.page)
    report = explain_cookie(line, source, [later], context, before)
    assert "".join(each.header for each in report.later) == request.header
    if stored and report.cookie and not report.deletes:
        assert (report.cookie.expires is None) == (report.cookie.name in stored.session.split())


# A test for each of several hundred cases would take longer than the cases themselves.
def test_it_agrees_with_the_conformance_table(subtests):
    assert sum(map(bool, ASKED.values())) > 300
    for name, asked in ASKED.items():
        with subtests.test(name=name):
            for each in asked:
                agrees(*each)


def test_every_refusal_in_the_table_has_a_rule(subtests):
    for case in CASES:
        with subtests.test(name=case.name):
            has_a_rule_for_each_refusal(case)


def has_a_rule_for_each_refusal(case):
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
                assert refusal.repair.endswith(".")
                assert "{" not in refusal.repair


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


# {rule: (Set-Cookie field that it refuses, URL of the response, field and URL after the repair)}
SHOP, PLAIN = "https://shop.example/", "http://shop.example:8003/"
REPAIRABLE = {
    Rule.CONTROL_CHARACTER: ("a=\x01b", SHOP, "a=b", SHOP),
    Rule.TAB: ("a=b\tc; Path=/", SHOP, "a=bc; Path=/", SHOP),
    Rule.EMPTY: ("=; Path=/", SHOP, "name=; Path=/", SHOP),
    Rule.NAMELESS_EQUALS: ("=a=b", SHOP, "name=a=b", SHOP),
    Rule.PREFIX_NAMELESS: ("__Host-a", SHOP, "name=__Host-a", SHOP),
    Rule.PUBLIC_SUFFIX: ("a=b; Domain=com; Path=/", SHOP, "a=b; Path=/", SHOP),
    Rule.OTHER_DOMAIN: ("a=b; domain=other.example;", SHOP, "a=b", SHOP),
    Rule.PREFIX_SECURE: ("__Secure-a=b", SHOP, "__Secure-a=b; Secure", SHOP),
    Rule.PREFIX_HOST: (
        *("__Host-a=b; Secure; Domain=shop.example; Path=/x", SHOP),
        *("__Host-a=b; Secure; Path=/", SHOP),
    ),
    Rule.PREFIX_HTTP_ONLY: ("__Http-a=b; Secure", SHOP, "__Http-a=b; Secure; HttpOnly", SHOP),
    Rule.PARTITIONED_SECURE: ("a=b; Partitioned", SHOP, "a=b; Partitioned; Secure", SHOP),
    Rule.SECURE_SOURCE: ("a=b; Secure", PLAIN, "a=b; Secure", "https://shop.example:8003/"),
    Rule.HIDES_SECURE: ("old=b", PLAIN, "old=b; Secure", "https://shop.example:8003/"),
    Rule.CROSS_SITE_SET: ("a=b; SameSite=Lax", SHOP, "a=b; SameSite=None; Secure", SHOP),
    Rule.NONE_SECURE: ("a=b; SameSite=None", SHOP, "a=b; SameSite=None; Secure", SHOP),
}


def refused(rule):
    """Explain the field that this rule refuses."""
    field, url, *_ = REPAIRABLE[rule]
    crosses = rule is Rule.CROSS_SITE_SET
    page = Origin.of("https://other.example/")
    context = Context(initiator=page, top_level=False) if crosses else Context()
    return explain_cookie(field, Origin.of(url), (), context, [(Origin.of(SHOP), "old=1; Secure")])


def test_every_mechanical_repair_has_an_example():
    assert REPAIRABLE.keys() == REPAIRS.keys()


@pytest.mark.parametrize("rule", REPAIRABLE)
def test_a_repaired_field_is_stored(rule):
    report = refused(rule)
    assert report.refusal.rule is rule
    assert not report.further
    assert report.repaired.set_cookie == REPAIRABLE[rule][2]
    assert str(report.repaired.source) == REPAIRABLE[rule][3]
    if rule is not Rule.CROSS_SITE_SET:
        assert explain_cookie(*report.repaired).refusal is None


def test_all_reasons_for_a_refusal_are_listed():
    run = explain("__Host-a=1; Domain=com; SameSite=None", "--at", SHOP, "--json")
    report = json.loads(run.stdout)
    reasons = [report["refusal"], *report["further"]]
    assert [each["rule"][-3:] for each in reasons] == ["5.7", "5.4", "5.4"]
    assert report["repaired"] == {
        "set_cookie": "__Host-a=1; SameSite=None; Secure; Path=/",
        "url": SHOP,
    }
    assert ALSO_REFUSED.partition("{")[0] in explain("a=1; Domain=com; SameSite=None").stdout


def test_what_no_program_can_repair_stays_refused():
    report = explain_cookie(f"a={'b' * 5000}", Origin.of(SHOP))
    assert (report.further, report.repaired) == ((), None)
    assert "5001" in report.refusal.reason


@pytest.mark.parametrize(
    ("field", "url", "wanted", "unwanted"),
    [
        ("__Host-a=1; Secure; Path=/; Domain=shop.example", SHOP, "Domain", "Path"),
        ("__Host-a=1; Secure", SHOP, "Path", "Domain"),
        ("__Host-a=1; Secure; Domain=127.0.0.1", "http://127.0.0.1/", "Path", "Domain"),
        ("__Host-a=1; Path=/", SHOP, "Secure", "https"),
        ("a=1; SameSite=None", SHOP, "Secure", "https"),
        ("a=1; SameSite=None", PLAIN, "https", "Domain"),
        ("a=1; Secure", PLAIN, "leave out", "Domain"),
        ("a=1; Secure; SameSite=None", PLAIN, "https", "leave out"),
        ("a=1; Domain=pay.shop.example", "https://www.shop.example/", "Domain=shop.example", "%09"),
        ("a=1; Domain=other.example", SHOP, "below it", "Domain=other"),
        ("a=1; Domain=10.0.0.2", SHOP, "10.0.0.2", "below it"),
        ("a\tb=1", SHOP, "name", "%09"),
        ("a=1\t2", SHOP, "%09", "name"),
        ("a=1; b\tc", SHOP, "attribute", "%09"),
    ],
)
def test_the_repair_names_only_what_is_wrong(field, url, wanted, unwanted):
    repair = explain_cookie(field, Origin.of(url)).refusal.repair.partition(", or use a name")[0]
    assert wanted in repair
    assert unwanted not in repair


@pytest.mark.parametrize(
    ("field", "url", "target", "words", "wanted"),
    [
        ("a=1", "http://127.0.0.1:8003/", "http://localhost:8003/", "", "same host name"),
        ("a=1", "http://192.168.1.20/", "http://192.168.1.21/", "", "names below one domain"),
        ("a=1", "https://a.co.uk/", "https://b.co.uk/", "", "same host name"),
        ("a=1", "https://a.shop.example/", "https://b.shop.example/", "", "Domain=shop.example"),
        (
            *("__Host-a=1; Secure; Path=/", "https://a.shop.example/", "https://b.shop.example/"),
            *("", "without the prefix"),
        ),
        ("a=1; Path=/cart", SHOP, "https://shop.example/cartoon", "", "not /cartoon"),
        ("a=1; SameSite=Lax", SHOP, SHOP, "--from https://b.example/ --method POST", "CSRF"),
        ("a=1; SameSite=Strict", SHOP, SHOP, "--from https://b.example/ --method POST", "None"),
        ("a=1; SameSite=Strict", SHOP, SHOP, "--from https://b.example/ --embedded", "None"),
        ("a=1; SameSite=Strict", SHOP, SHOP, "--from https://b.example/", "=Lax"),
        (
            *("a=1; SameSite=None; Secure; Partitioned", SHOP, SHOP),
            *("--from https://b.example/ --embedded", "https://b.example is in the address bar"),
        ),
    ],
)
def test_the_repair_fits_the_later_request(field, url, target, words, wanted):
    run = explain(field, "--at", url, "--then", target, *words.split(), "--json")
    assert wanted in json.loads(run.stdout)["later"][0]["refusal"]["repair"]


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        ("a=1; Max-Age=abc", "session cookie"),
        ("a=1; Max-Age=abc; Expires=Fri, 31 Dec 2027 23:59:59 GMT", "Expires applies"),
        ("a=1; Expires=soon", "session cookie"),
        ("a=1; Max-Age=315360000", "400 days"),
        (f"a=1; Path=/{'x' * 1024}", "Path"),
        ("=7", "just 7"),
        ("a=1; Path=cart", "Path=/"),
        ("a=1; SameSite=Laxx", "Laxx"),
        ("a=; Max-Age=0; Pfad=/cart", "pfad"),
    ],
)
def test_an_effect_that_was_not_intended_is_marked(field, wanted):
    (warning,) = json.loads(explain(field, "--json").stdout)["warnings"]
    assert wanted in warning
    assert "! " + WARNING.format(warning=warning) in explain(field).stdout


@pytest.mark.parametrize(
    "field", ["a=1; Max-Age=34560000", "a=1; SameSite=Lax; Path=", "a=; Max-Age=0"]
)
def test_an_ordinary_cookie_has_no_warning(field):
    assert json.loads(explain(field, "--json").stdout)["warnings"] == []


def test_a_refused_cookie_is_never_sent():
    then = ("--then", "https://shop.example/")
    assert NEVER_STORED in explain("a=1; Domain=com", *then).stdout
    assert NEVER_STORED not in explain("a=1; Domain=com").stdout
    assert NEVER_STORED not in explain("a=1", *then).stdout


def test_ports_and_queries_stay_in_urls():
    page = "http://localhost:8004/form?x=1"
    shown = explain("a=1", "--at", "http://localhost:8003/?b=2", "--from", page).stdout
    assert shown.count("http://localhost:8003/?b=2") == 2
    assert page in shown


@pytest.mark.parametrize(
    ("domain", "owner"),
    [("", "host shop.example"), ("; Domain=shop.example", "domain shop.example")],
)
def test_a_deletion_says_which_cookie_is_deleted(domain, owner):
    shown = explain(f"a=; Max-Age=0{domain}", "--at", "https://shop.example/cart/add").stdout
    assert f"cookie a of the {owner} with Path=/cart" in shown
    assert "HttpOnly" not in shown


def test_another_sites_form_counts_as_such():
    words = ("a=1; SameSite=Strict", "--from", "https://other.example/", "--json")
    report = json.loads(explain(*words).stdout)
    assert report["stored"]
    assert report["later"][0]["refusal"]["rule"] == Rule.STRICT.source


def test_a_cookie_without_samesite_is_not_called_default():
    words = ("--from", "https://other.example/", "--embedded")
    shown = explain("a=1", *words).stdout
    assert "Default" not in shown
    assert Rule.EMBEDDED.url in shown


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
    assert DELETES.partition("{")[0] in explain("a=; Max-Age=0").stdout


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
