"""Test where each carrier keeps the answers, and what an attacker can do."""

from importlib import import_module
from urllib.parse import parse_qs, urlsplit

import lxml.html
import pytest
from django.contrib.sessions.models import Session
from django.core import signing

from lab.carriers import key_in_url
from lab.forms import ALTERED, ANSWER_FIRST, UNREADABLE, label
from labkit.testing.contracts import text, words
from tests.contract import WizardPages, step_of, told


def wizard_by(carrier):
    wizard = WizardPages()
    wizard.carrier = carrier
    wizard.redirects = carrier != "hidden"
    return wizard


def form(page):
    return lxml.html.document_fromstring(text(page)).forms[0]


def elements(page, attribute):
    """Return the text of each element with this attribute."""
    found = lxml.html.document_fromstring(text(page)).xpath(f"//*[@{attribute}]")
    return [element.text_content() for element in found]


def key_in(page):
    return parse_qs(urlsplit(form(page).action).query)["w"][0]


# Where the answers are


@pytest.mark.in_process
def test_by_cookie_they_are_in_the_browser_for_anyone_to_read(visitor):
    wizard_by("cookie").fill_in(visitor, name="अनु")
    held = {cookie.name: cookie.value for cookie in visitor.jar if "csrf" not in cookie.name}
    assert held == {"name_05": "%E0%A4%85%E0%A4%A8%E0%A5%81", "age_05": "30", "gf_05": "Bea"}
    cookie = visitor.jar.get("name_05")
    assert (cookie.http_only, cookie.same_site) == (True, "Lax")
    assert Session.objects.count() == 0


@pytest.mark.in_process
def test_by_session_they_are_on_the_server_and_the_cookie_has_the_key(visitor):
    wizard_by("session").fill_in(visitor)
    row = Session.objects.get()
    assert visitor.jar.get("sessionid_05").value == row.session_key
    assert row.get_decoded()["wizard"] == {"name": "Anu", "age": "30", "gf": "Bea"}


@pytest.mark.in_process
def test_by_hidden_field_they_are_in_the_page_signed_and_not_encrypted(visitor):
    page = wizard_by("hidden").fill_in(visitor)
    signed = form(page).fields["answers"]
    payload = signed.partition(":")[0]
    assert signing.b64_decode(payload.encode()) == b'{"name":"Anu","age":"30","gf":"Bea"}'
    assert list(visitor.jar) == []
    assert Session.objects.count() == 0


@pytest.mark.in_process
def test_by_address_they_are_on_the_server_and_the_address_has_the_key(visitor):
    page = wizard_by("key_in_url").fill_in(visitor)
    row = Session.objects.get()
    assert key_in(page) == row.session_key
    assert row.get_decoded()["wizard by url"] == {"name": "Anu", "age": "30", "gf": "Bea"}
    assert list(visitor.jar) == []


@pytest.mark.parametrize("carrier", ["cookie", "session", "hidden", "key_in_url"])
def test_closing_the_browser_loses_what_only_the_page_carried(visitor, carrier):
    wizard = wizard_by(carrier)
    wizard.fill_in(visitor)
    visitor.close_browser()
    kept = step_of(visitor.get(f"/{carrier}/results/", follow=True)) == "results"
    assert kept == (carrier in {"cookie", "session"})


# Changes that a visitor can make


def test_an_altered_cookie_counts_if_it_could_have_been_an_answer(visitor):
    wizard_by("cookie").fill_in(visitor)
    visitor.edit_cookie("name_05", "Eve")
    assert told(visitor.get("/cookie/results/"))[0] == "Eve"


@pytest.mark.parametrize("age", ["Abc", "-1", "151", "", "%D9%A3", "<script>alert(7)</script>"])
def test_an_altered_cookie_that_is_no_answer_is_asked_for_again(visitor, age):
    wizard_by("cookie").fill_in(visitor)
    visitor.edit_cookie("age_05", age)
    page = visitor.get("/cookie/results/", follow=True)
    assert step_of(page) == "age"
    assert told(page) == ["Anu", "Bea"]
    assert ALTERED.format(label("age")) in words(page)


@pytest.mark.parametrize("spoil", [str.upper, lambda s: s[:-1], lambda s: "", lambda s: "é" * 9])
def test_an_altered_hidden_field_opens_nothing(visitor, spoil):
    page = wizard_by("hidden").answer(visitor, visitor.get("/hidden/name/"), name="Anu")
    signed = form(page).fields["answers"]
    page = visitor.post("/hidden/age/", {"age": "30", "answers": spoil(signed)})
    assert step_of(page) == "name"
    assert told(page) == ["30"]
    assert UNREADABLE in words(page)


def test_a_hidden_field_signed_for_something_else_opens_nothing(visitor):
    foreign = signing.dumps({"name": "Eve"}, salt="another purpose")
    page = visitor.post("/hidden/age/", {"age": "30", "answers": foreign})
    assert UNREADABLE in words(page)


def test_a_hidden_field_can_be_sent_again_until_it_is_too_old(visitor, clock):
    wizard = wizard_by("hidden")
    early = wizard.answer(visitor, visitor.get("/hidden/name/"), name="Anu")
    wizard.answer(visitor, wizard.answer(visitor, early, age=30), gf="Bea")
    assert told(wizard.answer(visitor, early, age=99)) == ["Anu", "99"]
    clock.forward(seconds=599)
    assert told(wizard.answer(visitor, early, age=99)) == ["Anu", "99"]
    clock.forward(seconds=2)
    assert told(wizard.answer(visitor, early, age=99)) == ["99"]


@pytest.mark.in_process
@pytest.mark.parametrize("key", ["a" * 32, "x", "é" * 40, "../../etc/passwd", "%00", "x" * 8000])
def test_a_key_that_the_server_did_not_make_opens_nothing_and_is_not_taken_over(visitor, key):
    page = visitor.get("/key_in_url/gf/", {"w": key}, follow=True)
    assert step_of(page) == "name"
    assert UNREADABLE in words(page)
    page = wizard_by("key_in_url").answer(visitor, page, name="Anu")
    assert key_in(page) == Session.objects.get().session_key != key


@pytest.mark.parametrize("carrier", ["cookie", "session", "key_in_url"])
def test_a_redirect_lengthens_no_query(visitor, carrier):
    # Percent-encoded, this text would make the URL too long for a redirect.
    query = "w=" + "!" * 15_000
    response = visitor.get(f"/{carrier}/gf/?{query}")
    assert response["Location"] == f"/{carrier}/name/?answer_first=1&{query}"


@pytest.mark.in_process
def test_the_key_of_a_session_opens_no_wizard_in_an_address(visitor, classmate):
    wizard_by("session").fill_in(visitor)
    key = visitor.jar.get("sessionid_05").value
    page = classmate.get("/key_in_url/results/", {"w": key}, follow=True)
    assert step_of(page) == "name"
    page = wizard_by("key_in_url").answer(classmate, page, name="Eve")
    assert key_in(page) != key
    assert "wizard by url" not in Session.objects.get(session_key=key).get_decoded()
    assert told(visitor.get("/session/results/")) == ["Anu", "30", "Bea"]


def test_the_key_in_an_address_is_no_key_for_a_session_cookie(visitor, classmate):
    key = key_in(wizard_by("key_in_url").fill_in(visitor))
    classmate.jar.store(f"sessionid_05={key}; Path=/", classmate.origin)
    assert told(classmate.get("/session/results/", follow=True)) == []


@pytest.fixture
def engine(request, use_engine, settings, monkeypatch):
    """Use this session engine, also for the carrier `key_in_url`."""
    use_engine(request.param)
    store = import_module(settings.SESSION_ENGINE).SessionStore
    monkeypatch.setattr(key_in_url, "SessionStore", store)


@pytest.mark.parametrize("engine", ["cached_db", "cache", "file", "signed_cookies"], indirect=True)
@pytest.mark.parametrize("carrier", ["session", "key_in_url"])
def test_a_key_opens_the_answers_on_every_engine(visitor, classmate, engine, carrier):
    wizard = wizard_by(carrier)
    assert told(wizard.fill_in(visitor)) == ["Anu", "30", "Bea"]
    assert told(wizard.fill_in(classmate, name="Ben")) == ["Ben", "30", "Bea"]


@pytest.mark.parametrize("engine", ["signed_cookies"], indirect=True)
def test_in_signed_cookies_the_key_is_the_answers_and_an_old_one_stays_good(visitor, engine):
    wizard = wizard_by("key_in_url")
    page = wizard.answer(visitor, wizard.start(visitor), name="Anu")
    early = key_in(page)
    kept = signing.loads(early, salt="django.contrib.sessions.backends.signed_cookies")
    assert kept == {"wizard by url": {"name": "Anu"}, "_session_expiry": 600}
    wizard.answer(visitor, wizard.answer(visitor, page, age=30), gf="Bea")
    assert told(visitor.get("/key_in_url/age/", {"w": early})) == ["Anu"]
    assert Session.objects.count() == 0


# Access for anyone who knows the key


def test_an_address_that_is_shared_shares_the_answers(visitor, classmate):
    key = key_in(wizard_by("key_in_url").fill_in(visitor))
    assert told(classmate.get("/key_in_url/results/", {"w": key})) == ["Anu", "30", "Bea"]


def test_a_planted_address_is_dead_when_the_wizard_is_finished(visitor, classmate):
    wizard = wizard_by("key_in_url")
    bait = wizard.answer(classmate, classmate.get("/key_in_url/name/"), name="Eve")
    key = key_in(bait)
    page = wizard.answer(visitor, visitor.get("/key_in_url/age/", {"w": key}), age=30)
    page = wizard.answer(visitor, page, gf="Bea")
    assert told(page) == ["Eve", "30", "Bea"]
    assert key_in(page) != key
    assert told(classmate.get("/key_in_url/results/", {"w": key}, follow=True)) == []


def test_a_planted_session_key_is_dead_when_the_wizard_is_finished(visitor, classmate):
    wizard = wizard_by("session")
    wizard.answer(classmate, classmate.get("/session/name/"), name="Eve")
    planted = classmate.jar.get("sessionid_05").value
    visitor.jar.store(f"sessionid_05={planted}; Path=/", visitor.origin)
    page = wizard.answer(visitor, visitor.get("/session/age/"), age=30)
    assert told(wizard.answer(visitor, page, gf="Bea")) == ["Eve", "30", "Bea"]
    assert visitor.jar.get("sessionid_05").value != planted
    assert told(classmate.get("/session/results/", follow=True)) == []


@pytest.mark.in_process
@pytest.mark.parametrize(
    ("carrier", "entry"), [("session", "wizard"), ("key_in_url", "wizard by url")]
)
def test_starting_again_takes_the_answers_off_the_server(visitor, carrier, entry):
    page = wizard_by(carrier).fill_in(visitor)
    assert entry in Session.objects.get().get_decoded()
    visitor.press("Start again", page)
    assert not any(entry in row.get_decoded() for row in Session.objects.all())


@pytest.mark.in_process
@pytest.mark.parametrize("carrier", ["session", "key_in_url"])
def test_answers_that_the_server_has_lost_are_asked_for_again(visitor, carrier):
    wizard = wizard_by(carrier)
    page = wizard.answer(visitor, wizard.start(visitor), name="Anu")
    Session.objects.all().delete()
    page = wizard.answer(visitor, page, age=30)
    assert step_of(page) == "name"
    assert told(page) == ["30"]


@pytest.mark.parametrize(
    ("carrier", "notice"),
    [
        ("cookie", ANSWER_FIRST),
        ("session", ANSWER_FIRST),
        ("key_in_url", ANSWER_FIRST),
        ("hidden", UNREADABLE),
    ],
)
def test_a_late_answer_leads_to_a_notice(visitor, clock, carrier, notice):
    wizard = wizard_by(carrier)
    page = wizard.answer(visitor, wizard.start(visitor), name="Anu")
    page = wizard.answer(visitor, page, age=30)
    clock.forward(seconds=601)
    page = wizard.answer(visitor, page, gf="Bea")
    assert step_of(page) == "name"
    assert notice in words(page)
    assert told(page) == ["Bea"]


@pytest.mark.parametrize("carrier", ["cookie", "session"])
def test_where_cookies_speak_for_the_visitor_a_form_must_prove_that_it_is_ours(visitor, carrier):
    wizard = wizard_by(carrier)
    page = wizard.answer(visitor, wizard.start(visitor), name="Anu")
    assert visitor.post(f"/{carrier}/name/", {"name": "Eve"}).status_code == 403
    with visitor.coming_from("http://evil.example/"):
        assert visitor.post(f"/{carrier}/name/", {"name": "Eve"}).status_code == 403
    assert told(wizard.again(visitor, page, "age")) == ["Anu"]


@pytest.mark.parametrize("carrier", ["hidden", "key_in_url"])
def test_where_the_page_brings_the_answers_another_site_has_none_to_send(visitor, carrier):
    wizard = wizard_by(carrier)
    page = wizard.answer(visitor, wizard.start(visitor), name="Anu")
    with visitor.coming_from("http://evil.example/"):
        forged = visitor.post(f"/{carrier}/name/", {"name": "Eve"}, follow=True)
    assert told(forged) == ["Eve"]  # the forged answer is not mixed with the visitor's
    assert told(wizard.again(visitor, page, "age")) == ["Anu"]


# What textbooks say


@pytest.mark.claim("C04", "C06")
def test_django_takes_a_session_key_from_a_cookie_and_from_nowhere_else(visitor, classmate):
    wizard_by("session").fill_in(visitor)
    key = visitor.jar.get("sessionid_05").value
    for name in ("sessionid_05", "sessionid", "session_key"):
        assert told(classmate.get("/session/results/", {name: key}, follow=True)) == []
        page = classmate.get("/session/name/")
        token = form(page).fields["csrfmiddlewaretoken"]
        fields = {"csrfmiddlewaretoken": token, "name": "Eve", name: key}
        assert told(classmate.post("/session/name/", fields, follow=True)) == ["Eve"]
        classmate.jar.clear()
    assert told(visitor.get("/session/results/")) == ["Anu", "30", "Bea"]


@pytest.mark.claim("C05")
def test_with_cookies_blocked_no_session_key_turns_up_anywhere_else(visitor):
    visitor.block_cookies()
    for _ in range(3):
        page = visitor.get("/session/name/")
        assert "sessionid" not in text(page)
        # Since Django 6.0, the tag querystring returns "?" if there are no parameters.
        assert form(page).action in {"/session/name/", "/session/name/?"}
        refused = visitor.post("/session/name/", dict(form(page).form_values()) | {"name": "Anu"})
        assert refused.status_code == 403
    assert told(visitor.get("/session/results/", follow=True)) == []


@pytest.mark.pitfall("B15")
@pytest.mark.parametrize("carrier", ["cookie", "session"])
def test_when_the_cookies_have_expired_the_first_question_is_asked(visitor, clock, carrier):
    wizard_by(carrier).fill_in(visitor)
    clock.forward(seconds=601)
    response = visitor.get(f"/{carrier}/results/")
    assert (response.status_code, response["Location"]) == (302, f"/{carrier}/name/?answer_first=1")
    assert ANSWER_FIRST in words(visitor.get(response["Location"]))


@pytest.mark.pitfall("B16")
@pytest.mark.parametrize("carrier", ["cookie", "session", "hidden", "key_in_url"])
def test_no_form_puts_its_fields_into_the_address(visitor, carrier):
    page = wizard_by(carrier).start(visitor)
    assert form(page).method == "POST"
    wizard_by(carrier).fill_in(visitor)
    addresses = [exchange.url for exchange in visitor.exchanges]
    assert not any("csrf" in address or "Anu" in address for address in addresses)


@pytest.mark.in_process
@pytest.mark.pitfall("B42")
def test_the_results_are_the_three_answers_whatever_else_is_in_the_session(visitor):
    wizard_by("session").fill_in(visitor)
    row = Session.objects.get()
    store = Session.get_session_store_class()(row.session_key)
    store["testcookie"], store["count"] = "worked", 3
    store.save()
    assert told(visitor.get("/session/results/")) == ["Anu", "30", "Bea"]


# What a URL gives away


def test_the_page_on_leaks_says_what_it_sends(visitor):
    for policy in ("same-origin", "", "unsafe-url"):
        response = visitor.get("/key_in_url/leaks/", {"policy": policy, "w": "x"})
        assert response["Referrer-Policy"] == policy
        assert elements(response, "data-policy") == [policy or "none"]
    assert (
        visitor.get("/key_in_url/leaks/", {"policy": "x\r\ny"})["Referrer-Policy"] == "same-origin"
    )


def test_the_next_page_shows_what_it_was_told_and_obeys_no_markup(visitor):
    assert elements(visitor.get("/referer/"), "data-referer") == []
    response = visitor.get("/referer/", headers={"referer": "http://x/<script>alert(7)</script>"})
    assert elements(response, "data-referer") == ["http://x/<script>alert(7)</script>"]
    assert b"<script>" not in response.content
