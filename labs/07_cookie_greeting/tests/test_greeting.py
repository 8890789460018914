import json

import pytest
from django.conf import settings as lab
from django.core.signing import BadSignature
from django.http import HttpResponse
from django.test import RequestFactory

from lab import storage
from labkit.testing.contracts import facts, notices, words
from tests.contract import GreetingPages, greeted, links


class TestGreeting(GreetingPages):
    pass


pages = TestGreeting()


@pytest.mark.claim("C12")
def test_the_server_knows_a_visitor_by_the_cookie_alone(visitor, classmate):
    pages.greet(visitor, "Anu")
    carried = visitor.jar.get("name_07").pair
    assert carried == "name_07=Anu"
    assert greeted(classmate.get("/result/", headers={"cookie": carried})) == "Anu"


def test_its_cookie_has_the_protecting_attributes(visitor):
    pages.greet(visitor, "Anu")
    cookie = visitor.jar.get("name_07")
    assert cookie.http_only
    assert cookie.same_site == "Lax"


def test_remembered_for_the_session_it_ends_with_the_browser(visitor, clock):
    pages.greet(visitor, "Anu", "session")
    assert visitor.jar.get("name_07").expires is None
    clock.forward(days=30)
    assert pages.name(visitor) == "Anu"
    visitor.close_browser()
    assert pages.name(visitor) is None


@pytest.mark.claim("C21")
def test_remembered_for_three_minutes_it_ends_after_180_seconds(visitor, clock):
    pages.greet(visitor, "Anu", "3min")
    visitor.close_browser()
    clock.forward(seconds=179)
    assert pages.name(visitor) == "Anu"
    clock.forward(seconds=1)
    assert pages.name(visitor) is None


def test_being_greeted_does_not_prolong_it(visitor, clock):
    pages.greet(visitor, "Anu", "3min")
    clock.forward(seconds=100)
    assert pages.name(visitor) == "Anu"
    clock.forward(seconds=100)
    assert pages.name(visitor) is None


def test_the_last_answer_says_for_how_long(visitor):
    pages.greet(visitor, "Anu", "3min")
    pages.greet(visitor, "Anu", "session")
    assert visitor.jar.get("name_07").expires is None


@pytest.mark.pitfall("B43")
@pytest.mark.parametrize(
    ("zone", "now"),
    [
        ("UTC", "2030-01-07 09:00:00 UTC"),
        ("Asia/Kolkata", "2030-01-07 14:30:00 IST"),
        ("America/Chicago", "2030-01-07 03:00:00 CST"),
    ],
)
def test_the_time_is_told_with_its_zone(visitor, clock, settings, zone, now):
    settings.TIME_ZONE = zone
    time, source, _ = facts(pages.greet(visitor, "Anu"))
    assert time == now
    assert zone in source


def test_the_link_of_the_page_leads_to_itself_a_moment_later(visitor, clock):
    page = pages.greet(visitor, "Anu")
    assert links(page) == ["/result/"]
    clock.forward(seconds=7)
    assert "09:00:07 UTC" in words(visitor.get("/result/"))


def test_a_refused_form_keeps_what_was_typed(visitor):
    fields = pages.with_token(visitor, name="Anu", remember="3min")
    page = visitor.post("/greet/", fields | {"name": "x" * 41}).content.decode()
    assert f'value="{"x" * 41}"' in page
    assert 'value="3min" required id="id_remember_1" checked' in " ".join(page.split())


def test_the_page_shows_what_the_browser_sent(visitor):
    page = pages.greet(visitor, "अनु")
    assert facts(page)[2] == visitor.jar.get("name_07").pair
    assert notices(visitor.get("/")) == []


@pytest.mark.claim("C26")
def test_a_visitor_can_change_the_name_and_the_server_believes_it(visitor):
    pages.greet(visitor, "Anu")
    visitor.edit_cookie("name_07", "Eve%20%3Cscript%3Ealert(7)%3C/script%3E")
    response = visitor.get("/result/")
    assert greeted(response) == "Eve <script>alert(7)</script>"
    assert b"<script>alert" not in response.content


@pytest.mark.claim("C26")
def test_a_signed_cookie_can_be_read_by_anyone_and_changed_by_no_one():
    response = HttpResponse()
    response.set_signed_cookie("name", "Anu")
    value = response.cookies["name"].value
    assert value.startswith("Anu:")  # the value is readable, because a signature is not encryption
    request = RequestFactory().get("/")
    request.COOKIES["name"] = value
    assert request.get_signed_cookie("name") == "Anu"
    request.COOKIES["name"] = value.replace("Anu", "Eve")
    with pytest.raises(BadSignature):
        request.get_signed_cookie("name")


@pytest.mark.claim("C25")
def test_what_is_not_text_comes_back_as_text_unless_it_is_serialised():
    thing = {"name": "अनु", "visits": 3}
    response = HttpResponse()
    response.set_cookie("bare", thing)
    assert response.cookies["bare"].value == str(thing)
    response.set_signed_cookie("serialised", json.dumps(thing))
    request = RequestFactory().get("/")
    request.COOKIES["serialised"] = response.cookies["serialised"].value
    assert json.loads(request.get_signed_cookie("serialised")) == thing


def test_what_lies_in_the_cookie_is_letters_digits_and_percent_signs(visitor):
    pages.greet(visitor, "अनु")
    assert visitor.jar.get("name_07").value == "%E0%A4%85%E0%A4%A8%E0%A5%81"


def test_the_longest_name_is_far_from_the_limit_of_a_cookie():
    response = HttpResponse()
    storage.put(None, response, "🍎" * 40, "3min")
    assert len(storage.NAME + response.cookies[storage.NAME].value) == len("name_07") + 480


def test_it_needs_neither_a_database_nor_a_session():
    assert not lab.DATABASES["default"].get("NAME")
    assert not any("sessions" in name for name in [*lab.INSTALLED_APPS, *lab.MIDDLEWARE])
