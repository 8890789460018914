import runpy
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import call_command

from lab import facts, session_rows, storage
from lab import notices as lab_notices
from lab.notices import UNKNOWN_KEY
from labkit.base import error_pages
from labkit.testing import Visitor
from labkit.testing.contracts import notices, surprises, text, words
from labkit.testing.malformed_requests import unknown_session_ids
from labkit.text_format import duration
from tests.contract import (
    CHOICES,
    COOKIE,
    PAGES,
    ExpiryPages,
    deleted,
    listing,
    session_cookies,
    what_holds,
)

FOURTEEN_DAYS = 14 * 24 * 3600


class TestExpiryPages(ExpiryPages):
    raw_requests = unknown_session_ids(COOKIE)


pages = TestExpiryPages()


def chosen(visitor):
    """Return the choice that the page shows to this visitor; empty without a session."""
    return what_holds(visitor.get("/")).get("chosen")


def left(visitor):
    return what_holds(visitor.get("/"))["left"]


# Requests that extend the session, and requests that do not


@pytest.mark.claim("C61", "C62", "C63")
@pytest.mark.parametrize("path", PAGES)
def test_reading_does_not_extend_the_expiry(visitor, clock, path):
    pages.choose(visitor, "120")
    clock.forward(seconds=60)
    visitor.get(path)
    assert session_cookies(visitor.exchanges[-1]) == []
    clock.forward(seconds=59)
    assert left(visitor) == "1 second"
    clock.forward(seconds=1)
    assert notices(visitor.get("/")) == [lab_notices.NO_KEY]


@pytest.mark.claim("C61", "C80")
def test_each_write_begins_the_seconds_anew(visitor, clock):
    pages.choose(visitor, "120")
    key = visitor.jar.get(COOKIE).value
    for _ in range(5):
        clock.forward(seconds=100)
        pages.write(visitor)
        assert left(visitor) == "2 minutes"
    assert visitor.jar.get(COOKIE).value == key
    clock.forward(seconds=120)
    assert chosen(visitor) is None


@pytest.mark.claim("C62")
def test_with_every_request_saved_reading_prolongs_it(settings, visitor, clock):
    settings.SESSION_SAVE_EVERY_REQUEST = True
    pages.choose(visitor, "120")
    for path in PAGES * 2:
        clock.forward(seconds=100)
        visitor.get(path)
        (line,) = session_cookies(visitor.exchanges[-1])
        assert "Max-Age=120;" in line
    page = what_holds(visitor.get("/"))
    assert page["every_request"] == facts.WRITTEN
    assert page["left"] == "2 minutes"
    for path in ("/read/", "/"):
        assert 'data-saved="yes"' in visitor.get(path).content.decode()


def test_a_request_for_the_stylesheet_is_a_write_as_well_with_every_request_saved(
    settings, visitor, clock
):
    settings.SESSION_SAVE_EVERY_REQUEST = True
    pages.choose(visitor, "120")
    clock.forward(seconds=119)
    visitor.get("/__lab__/static/lab.css").getvalue()
    clock.forward(seconds=119)
    assert chosen(visitor)


@pytest.mark.parametrize(("value", "saved"), [("1", True), ("0", False), ("", False)])
def test_one_variable_of_the_environment_has_every_request_saved(
    settings, monkeypatch, value, saved
):
    monkeypatch.setenv("SESSION_SAVE_EVERY_REQUEST", value)
    read = runpy.run_path(str(settings.FOLDER / "lab" / "settings.py"))
    assert read["SESSION_SAVE_EVERY_REQUEST"] == saved


@pytest.mark.claim("C64")
def test_300_is_five_minutes(visitor, clock):
    pages.choose(visitor, "300")
    for _ in range(3):
        clock.forward(seconds=250)
        pages.write(visitor)
    clock.forward(seconds=299)
    assert chosen(visitor)
    clock.forward(seconds=1)
    assert chosen(visitor) is None


# A date


@pytest.mark.claim("C65")
@pytest.mark.parametrize(("policy", "end"), [("datetime", "09:03:00"), ("timedelta", "09:03:40")])
def test_no_write_puts_a_date_off(visitor, clock, policy, end):
    clock.forward(seconds=40)  # to 09:00:40
    pages.choose(visitor, policy)
    assert Session.objects.get().get_decoded()["_session_expiry"] == f"2030-01-07T{end}+00:00"
    clock.forward(seconds=100)
    page = what_holds(pages.write(visitor))
    seconds = {"datetime": 40, "timedelta": 80}[policy]
    assert page["expiry"] == f"2030-01-07 {end} UTC"
    assert page["row"] == f"2030-01-07 {end} UTC"
    assert page["left"] == duration(seconds)
    assert f"Max-Age={seconds};" in session_cookies(visitor.exchanges[-2])[0]
    clock.forward(seconds=seconds - 1)
    pages.write(visitor)
    clock.forward(seconds=1)
    assert chosen(visitor) is None


@pytest.mark.claim("C65", "C69")
def test_a_date_counts_down_and_a_number_does_not(visitor, classmate, clock):
    pages.choose(visitor, "300")
    pages.choose(classmate, "timedelta")
    clock.forward(seconds=100)
    assert what_holds(visitor.get("/"))["age"] == "5 minutes"
    assert what_holds(classmate.get("/"))["age"] == "1 minute 20 seconds"


@pytest.mark.claim("C65")
def test_a_date_without_a_zone_is_a_type_error():
    session = SessionStore()
    session.set_expiry(datetime(2030, 1, 7, 9, 3))
    with pytest.raises(TypeError, match="offset-naive and offset-aware"):
        session.get_expiry_age()


@pytest.mark.claim("C66")
@pytest.mark.pitfall("B03")
def test_dates_need_no_pickle(settings, visitor, clock):
    assert settings.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"
    pages.choose(visitor, "datetime")
    kept = Session.objects.get().get_decoded()
    assert kept["_session_expiry"] == "2030-01-07T09:03:00+00:00"
    assert kept["written"] == "2030-01-07T09:00:00+00:00"
    assert what_holds(visitor.get("/"))["written"] == "2030-01-07 09:00:00 UTC"
    session = SessionStore()
    session["written"] = clock.now
    with pytest.raises(TypeError, match="not JSON serializable"):
        session.save()
    settings.SESSION_SERIALIZER = "django.contrib.sessions.serializers.PickleSerializer"
    with pytest.raises(ImportError, match="PickleSerializer"):
        SessionStore()


# Closing the browser


@pytest.mark.claim("C67", "C80", "C85")
def test_closing_the_browser_ends_the_cookie_and_not_the_row(visitor, classmate, clock):
    pages.choose(visitor, "0")
    cookie = visitor.jar.get(COOKIE)
    assert cookie.expires is None
    visitor.close_browser()
    assert notices(visitor.get("/")) == [lab_notices.NO_KEY]
    row = Session.objects.get()  # the server still stores the session
    assert row.get_decoded()["policy"] == "0"
    assert row.expire_date == clock.now + timedelta(days=14)
    classmate.jar.store(f"{COOKIE}={cookie.value}; Path=/", classmate.origin)
    clock.forward(days=14, seconds=-1)
    assert chosen(classmate)
    clock.forward(seconds=1)
    assert chosen(classmate) is None


@pytest.mark.claim("C67", "C85")
def test_zero_is_shown_beside_the_row_that_stays(visitor):
    page = pages.choose(visitor, "0")
    told = what_holds(page)
    assert (told["cookie_left"], told["left"]) == (facts.AT_CLOSE, "14 days")
    assert surprises(page) == ["row-outlives-cookie"]
    assert surprises(pages.choose(visitor, "120")) == []


@pytest.mark.in_process
@pytest.mark.claim("C68")
def test_none_goes_back_to_what_the_settings_say(visitor):
    pages.choose(visitor, "120")
    page = what_holds(pages.choose(visitor, "none"))
    assert page["age"] == "14 days"
    assert page["entry"] == "not there"
    assert "_session_expiry" not in Session.objects.get().get_decoded()


@pytest.mark.claim("C86")
def test_persistent_by_default_is_said_of_the_cookie(settings, visitor, clock):
    assert settings.SESSION_EXPIRE_AT_BROWSER_CLOSE is False
    pages.write(visitor)
    visitor.close_browser()
    clock.forward(days=13)
    assert chosen(visitor)
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"
    visitor = Visitor()
    pages.write(visitor)
    assert chosen(visitor)
    # This has the same effect as restarting the server, since the default cache is in memory.
    cache.clear()
    visitor.close_browser()
    assert visitor.jar.get(COOKIE)
    assert notices(visitor.get("/")) == [UNKNOWN_KEY]


@pytest.mark.claim("C73", "C86")
def test_the_setting_makes_every_session_end_with_the_browser(settings, visitor):
    settings.SESSION_EXPIRE_AT_BROWSER_CLOSE = True
    assert what_holds(pages.write(visitor))["at_close"] == "True"
    assert visitor.jar.get(COOKIE).expires is None
    assert what_holds(pages.choose(visitor, "120"))["at_close"] == "False"


# What the methods return


@pytest.mark.claim("C60")
def test_the_age_of_the_settings_is_fourteen_days_unless_they_say_else(settings):
    assert SessionStore().get_session_cookie_age() == FOURTEEN_DAYS
    settings.SESSION_COOKIE_AGE = 100
    assert SessionStore().get_session_cookie_age() == 100


@pytest.mark.claim("C69")
@pytest.mark.pitfall("B44")
def test_the_page_shows_what_is_really_left_beside_what_the_method_says(visitor, clock):
    pages.choose(visitor, "300")
    clock.forward(seconds=299)
    page = what_holds(visitor.get("/"))
    assert page["age"] == "5 minutes"
    assert page["left"] == "1 second"
    assert page["written"] == "2030-01-07 09:00:00 UTC"
    assert page["expiry"] == "2030-01-07 09:05:00 UTC"
    assert page["row"] == "2030-01-07 09:05:00 UTC"
    assert "Max-Age=300," in page["cookie"]
    assert "2030-01-07 09:05:00 UTC" in page["cookie"]
    assert page["every_request"] == "off"
    reading = visitor.get("/read/")
    assert {name: page[name] for name in what_holds(reading)} == what_holds(reading)
    assert 'data-saved="no"' in text(reading)


@pytest.mark.claim("C70")
def test_the_age_is_fourteen_days_only_where_nothing_was_set_or_a_zero(visitor):
    ages = {}
    pages.write(visitor)
    ages["nothing"] = what_holds(visitor.get("/"))["age"]
    for policy in ("120", "0"):
        ages[policy] = what_holds(pages.choose(visitor, policy))["age"]
    fourteen = "14 days"
    assert ages == {"nothing": fourteen, "120": "2 minutes", "0": fourteen}


@pytest.mark.claim("C71")
def test_told_of_the_last_write_the_methods_say_the_real_end():
    session = SessionStore()
    session.set_expiry(60)
    assert session.get_expiry_age(expiry=50) == 50
    written = datetime(2030, 1, 1, tzinfo=UTC)
    assert session.get_expiry_date(modification=written) == written + timedelta(seconds=60)
    end = session.get_expiry_date(modification=written, expiry=10)
    assert end == written + timedelta(seconds=10)
    # None is valid too: it means the expiry from the settings.
    assert session.get_expiry_age(expiry=None) == FOURTEEN_DAYS


@pytest.mark.claim("C72")
def test_the_date_of_a_number_moves_with_the_clock(visitor, clock):
    pages.choose(visitor, "120")
    clock.forward(seconds=50)
    page = what_holds(visitor.get("/"))
    assert page["date"] == "2030-01-07 09:02:50 UTC"
    assert page["row"] == "2030-01-07 09:02:00 UTC"
    assert SessionStore().get_expiry_date().tzinfo is not None
    pages.choose(visitor, "timedelta")
    clock.forward(seconds=50)
    assert what_holds(visitor.get("/"))["date"] == "2030-01-07 09:03:50 UTC"


@pytest.mark.claim("C73")
def test_whether_it_ends_with_the_browser_is_true_or_false():
    session = SessionStore()
    answers = [session.get_expire_at_browser_close()]
    for age in (0, 120, None):
        session.set_expiry(age)
        answers.append(session.get_expire_at_browser_close())
    assert answers == [False, True, False, False]


# What the server stores


@pytest.mark.claim("C74", "C75")
def test_an_expired_row_opens_nothing_and_stays_until_it_is_cleared(visitor, classmate, clock):
    pages.choose(visitor, "120")
    copied = visitor.jar.get(COOKIE)
    pages.choose(classmate, "300")
    clock.forward(seconds=130)
    visitor.jar.store(f"{COOKIE}={copied.value}; Path=/", visitor.origin)
    other = classmate.jar.get(COOKIE).value
    assert listing(visitor.get("/rows/")) == [
        (other[:6], "2030-01-07 09:05:00 UTC", 170, False),
        (copied.value[:6], "2030-01-07 09:02:00 UTC", -10, True),
    ]
    (notice,) = notices(visitor.get("/"))
    assert "2030-01-07 09:02:00 UTC" in notice
    assert notice != UNKNOWN_KEY
    assert visitor.jar.get(COOKIE) is None
    assert Session.objects.count() == 2
    response = visitor.submit("/clear-expired/", page="/rows/")
    assert deleted(response) == "1"
    assert len(listing(response)) == 1
    assert chosen(classmate)


@pytest.mark.claim("C74")
def test_clearsessions_does_what_the_button_does(visitor, clock):
    pages.choose(visitor, "120")
    clock.forward(seconds=121)
    assert Session.objects.count() == 1
    call_command("clearsessions")
    assert Session.objects.count() == 0
    assert SessionStore.clear_expired.__self__ is SessionStore  # a class method


def test_a_write_after_the_end_begins_another_row_under_another_key(visitor, clock):
    pages.choose(visitor, "120")
    old = visitor.jar.get(COOKIE).value
    clock.forward(seconds=120)
    visitor.jar.store(f"{COOKIE}={old}; Path=/", visitor.origin)
    visitor.post("/touch/", {"csrfmiddlewaretoken": visitor.jar.get("csrftoken_09").value})
    assert visitor.jar.get(COOKIE).value != old
    assert Session.objects.count() == 2
    assert chosen(visitor) not in {None, *CHOICES.values()}  # no expiry was chosen


@pytest.mark.in_process
def test_a_key_whose_row_is_gone_or_damaged_is_told(visitor):
    pages.choose(visitor, "120")
    Session.objects.update(session_data="garbage")
    for path in ("/", "/read/"):
        assert notices(visitor.get(path)) == [UNKNOWN_KEY]
    assert [row.own for row in listing(visitor.get("/rows/"))] == [True]
    Session.objects.all().delete()
    assert notices(visitor.get("/read/")) == [UNKNOWN_KEY]
    assert visitor.jar.get(COOKIE) is None


def test_a_row_deleted_while_the_server_answers_stays_deleted(visitor, monkeypatch):
    token = pages.with_token(visitor)
    pages.choose(visitor, "120")
    touch = storage.touch
    monkeypatch.setattr(storage, "touch", lambda s: (touch(s), Session.objects.all().delete()))
    response = visitor.post("/touch/", token)
    assert response.status_code == 400
    assert error_pages.SESSION_DELETED in words(response)
    assert Session.objects.count() == 0


def test_many_rows_are_not_all_shown(visitor, clock):
    end = clock.now + timedelta(days=1)
    rows = [Session(session_key=f"{n:032}", session_data="", expire_date=end) for n in range(101)]
    Session.objects.bulk_create(rows)
    page = visitor.get("/rows/")
    assert len(listing(page)) == 100
    assert "data-most" in text(page)


def test_with_every_request_saved_a_dead_key_makes_a_row_of_nothing(settings, visitor, clock):
    settings.SESSION_SAVE_EVERY_REQUEST = True
    pages.choose(visitor, "0")
    clock.forward(days=14)
    (own,) = [row.own for row in listing(visitor.get("/rows/"))]
    assert own  # this page does not read the session
    assert sorted(len(row.get_decoded()) for row in Session.objects.all()) == [0, 3]
    assert notices(visitor.get("/")) == [UNKNOWN_KEY]


def test_how_many_rows_went_is_a_number_or_is_not_told(visitor, subtests):
    for gone, told in {"7": True, "": False, "x": False, "-1": False, "<b>": False}.items():
        with subtests.test(gone=gone):
            page = visitor.get("/rows/", {"gone": gone})
            assert deleted(page) == (gone if told else None)
    assert deleted(visitor.get("/rows/", {"gone": "9" * 5000})) == "999999"


# Clocks


def test_a_clock_that_is_set_forward_or_back_breaks_nothing(visitor, clock):
    pages.choose(visitor, "none")
    for days, alive in ((13, True), (2, False), (-2, True), (-15, True)):
        copied = visitor.jar.get(COOKIE).pair
        clock.forward(days=days)
        response = visitor.get("/", headers={"cookie": copied})
        assert bool(what_holds(response)) == alive
        visitor.jar.store(f"{copied}; Path=/", visitor.origin)


def test_a_session_made_while_the_clock_was_ahead_lives_till_then(visitor, clock):
    clock.forward(days=2)
    pages.choose(visitor, "120")
    clock.forward(days=-2)
    page = what_holds(visitor.get("/"))
    assert page["left"] == "2 days"
    assert page["age"] == "2 minutes"


# Anything, in any order


@pytest.mark.thorough
@pytest.mark.parametrize("every", [False, True], ids=["written", "every request saved"])
def test_random_actions_agree_with_a_model(settings, pytestconfig, every):
    # Import Hypothesis only here, because importing it is slow.
    from labkit.testing import state_machine
    from tests import expiry_machine

    settings.SESSION_SAVE_EVERY_REQUEST = every
    state_machine.run(expiry_machine.ExpiryMachine, pytestconfig.getoption("lab_examples"))


# Other engines


@pytest.fixture(params=["cached_db", "cache", "file", "signed_cookies"])
def engine(request, use_engine):
    """Use another engine for this test, and return its name."""
    use_engine(request.param)
    return request.param


def test_every_engine_is_told_apart(engine, visitor, clock):
    pages.choose(visitor, "120")
    clock.forward(seconds=20)
    page = what_holds(visitor.get("/"))
    rows = visitor.submit("/clear-expired/", page="/rows/")
    said = session_rows.missing_rows()
    if engine == "cached_db":
        assert page["row"] == "2030-01-07 09:02:00 UTC"
        assert said is None
        assert deleted(rows) == "0"
    else:
        assert page["row"] == said
        assert engine in said
        assert notices(rows) == [said]
        assert deleted(rows) is None
    assert page["left"] == "1 minute 40 seconds"
    clock.forward(seconds=100)
    assert chosen(visitor) is None


@pytest.mark.parametrize(
    ("policy", "too_long", "let_in_by"),
    [("120", 130, {"file", "signed_cookies"}), ("timedelta", 190, {"signed_cookies"})],
)
def test_some_engines_let_a_copy_in_after_its_end(
    engine, visitor, clock, policy, too_long, let_in_by
):
    pages.choose(visitor, policy)
    copied = visitor.jar.get(COOKIE).pair
    clock.forward(seconds=too_long)
    page = visitor.get("/", headers={"cookie": copied})
    let_in = engine in let_in_by
    assert (lab_notices.EXPIRED_BUT_LOADED in notices(page)) == let_in
    assert (duration(10) in what_holds(page).get("left", "")) == let_in


def test_a_copy_of_a_signed_cookie_is_good_for_fourteen_days(settings, visitor, clock):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    pages.choose(visitor, "120")
    header = {"cookie": visitor.jar.get(COOKIE).pair}
    clock.forward(days=14)
    assert "chosen" in what_holds(visitor.get("/", headers=header))
    clock.forward(seconds=1)
    assert what_holds(visitor.get("/", headers=header)) == {}
