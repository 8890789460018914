from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils.crypto import salted_hmac

from lab import storage
from labkit.base import error_pages, session_expiry
from labkit.testing.contracts import (
    PAGES,
    CartContract,
    OddCartEntries,
    facts,
    notices,
    table,
    words,
)
from labkit.testing.malformed_requests import unknown_session_ids


class TestCart(CartContract):
    kept_in = "session"
    lifetime = 120
    capacity = 200
    raw_requests = unknown_session_ids("sessionid_04")


class TestOddEntries(OddCartEntries):
    session_cookie = "sessionid_04"


cart = TestCart()


@pytest.mark.in_process
@pytest.mark.claim("C07")
def test_where_is_the_cart(visitor):
    cart.put(visitor, "red apple", 3)
    cart.put(visitor, "pear", 1)
    held = {cookie.name: cookie.value for cookie in visitor.jar if "csrf" not in cookie.name}
    row = Session.objects.get()
    assert held == {"sessionid_04": row.session_key}
    assert len(row.session_key) == 32
    assert row.get_decoded()["cart"] == {"red apple": 3, "pear": 1}


@pytest.mark.in_process
@pytest.mark.pitfall("B32", "B34", "B36", "B37")
def test_can_an_items_name_meet_another_entry(visitor):
    for name in ("apple", "_session_expiry", "count", "testcookie", "items"):
        cart.put(visitor, name)
    assert Session.objects.get().get_decoded().keys() == {"cart", "_session_expiry"}


@pytest.mark.in_process
@pytest.mark.claim("C33")
def test_what_is_there_before_the_first_add(visitor):
    for path in PAGES:
        visitor.get(path)
    assert [cookie.name for cookie in visitor.jar] == ["csrftoken_04"]  # the form's
    assert Session.objects.count() == 0
    cart.put(visitor, "apple")
    assert [cookie.name for cookie in visitor.jar] == ["csrftoken_04", "sessionid_04"]
    assert Session.objects.count() == 1


@pytest.mark.in_process
def test_what_travels_with_every_request(visitor):
    for number in range(10):
        cart.put(visitor, f"item {number}")
    visitor.get("/info/")
    sent = visitor.exchanges[-1].cookie_bytes.decode().split("; ")
    assert sent[1:] == [f"sessionid_04={Session.objects.get().session_key}"]


@pytest.mark.in_process
@pytest.mark.claim("C88")
def test_can_anybody_read_what_is_kept(visitor):
    cart.put(visitor, "red apple", 3)
    kept, moment, signature = Session.objects.get().session_data.split(":")
    text = b'{"cart":{"red apple":3},"_session_expiry":120}'
    assert urlsafe_b64decode(kept + "==") == text  # without a key
    forged = urlsafe_b64encode(text.replace(b"3", b"5")).decode().rstrip("=")
    Session.objects.update(session_data=f"{forged}:{moment}:{signature}")
    assert cart.cart(visitor) == {}


@pytest.mark.claim("C33", "C77")
def test_how_long_would_it_live_had_nobody_said(visitor, clock, monkeypatch):
    monkeypatch.setattr(storage, "LIFETIME", None)
    cart.put(visitor, "apple")
    fortnight = clock.now + timedelta(seconds=1_209_600)
    assert visitor.jar.get("sessionid_04").expires == fortnight.timestamp()
    assert Session.objects.get().expire_date == fortnight == clock.now + timedelta(days=14)
    visitor.close_browser()
    assert cart.cart(visitor) == {"apple": 1}


def test_which_flags_has_its_cookie(visitor):
    cart.put(visitor, "pear")
    cookie = visitor.jar.get("sessionid_04")
    assert cookie.http_only
    assert cookie.same_site == "Lax"


@pytest.mark.claim("C39", "C40")
def test_which_table_does_it_need():
    assert list(apps.get_app_config("sessions").get_models()) == [Session]
    assert Session._meta.db_table == "django_session"
    made = [name for app, name in MigrationLoader(None).disk_migrations if app == "sessions"]
    assert made == ["0001_initial"]
    look = connection.introspection
    assert "django_session" in look.table_names()
    with connection.cursor() as cursor:
        columns = look.get_table_description(cursor, "django_session")
        keys = look.get_constraints(cursor, "django_session").values()
        assert [(column.name, column.null_ok) for column in columns] == [
            ("session_key", False),
            ("session_data", False),
            ("expire_date", False),
        ]
        assert look.get_primary_key_column(cursor, "django_session") == "session_key"
        assert ["expire_date"] in [key["columns"] for key in keys if key["index"]]
        assert Session._meta.get_field("session_key").max_length == 40
        if connection.vendor == "mysql":
            cursor.execute("DESCRIBE django_session")
            assert [column[:4] for column in cursor.fetchall()] == [
                ("session_key", "varchar(40)", "NO", "PRI"),
                ("session_data", "longtext", "NO", ""),
                ("expire_date", "datetime(6)", "NO", "MUL"),
            ]


@pytest.mark.claim("C90")
def test_what_does_a_second_add_change(visitor, clock):
    cart.put(visitor, "apple")
    first = Session.objects.get()
    clock.forward(seconds=30)
    cart.put(visitor, "pear")
    second = Session.objects.get()
    assert second.session_key == first.session_key
    assert second.session_data != first.session_data
    assert (second.expire_date - first.expire_date).total_seconds() == 30


@pytest.mark.in_process
@pytest.mark.claim("C91")
def test_what_does_a_second_browser_add(visitor, classmate):
    cart.put(visitor, "apple")
    cart.put(classmate, "apple")
    assert visitor.jar.get("sessionid_04").value != classmate.jar.get("sessionid_04").value
    assert Session.objects.count() == 2


def test_does_adding_one_item_prolong_the_others(visitor, clock):
    cart.put(visitor, "apple")
    clock.forward(seconds=100)
    cart.put(visitor, "pear")
    clock.forward(seconds=100)
    assert cart.cart(visitor) == {"apple": 1, "pear": 1}


def test_does_it_outlive_the_browser(visitor):
    cart.put(visitor, "apple")
    visitor.close_browser()
    assert cart.cart(visitor) == {"apple": 1}


def test_can_the_visitor_change_it(visitor):
    cart.put(visitor, "apple", 3)
    visitor.edit_cookie("sessionid_04", "5")
    assert cart.cart(visitor) == {}


def test_what_becomes_of_nonsense_in_the_cookie(visitor, subtests):
    cart.put(visitor, "apple", 3)
    key = visitor.jar.get("sessionid_04").value
    for nonsense in ["", "x", "x" * 300, "' OR 1=1 --", "../../etc/passwd", "🍎", '"', "a" * 32]:
        with subtests.test(nonsense=nonsense):
            response = visitor.get("/display/", headers={"cookie": f"sessionid_04={nonsense}"})
            assert table(response) == {}
            assert notices(response) != []
            visitor.jar.store(f"sessionid_04={key}", visitor.origin)
    assert table(visitor.get("/display/")) == {"apple": 3}


@pytest.mark.in_process
def test_is_anything_left_after_the_cart_is_emptied(visitor):
    cart.put(visitor, "apple")
    cart.empty(visitor)
    assert [cookie.name for cookie in visitor.jar] == ["csrftoken_04", "sessionid_04"]
    assert Session.objects.get().get_decoded() == {"_session_expiry": 120}


def test_does_a_copied_cookie_bring_back_an_emptied_cart(visitor):
    cart.put(visitor, "apple", 3)
    copied = visitor.jar.get("sessionid_04").pair
    cart.empty(visitor)
    assert table(visitor.get("/display/", headers={"cookie": copied})) == {}


def test_what_does_the_server_know_of_the_time_left(visitor, clock):
    cart.put(visitor, "apple")
    clock.forward(seconds=50)
    _, _, left, age, *_ = facts(visitor.get("/info/"))
    assert left.startswith("1 minute 10 seconds")
    assert "2030-01-07 09:02:00 UTC" in left
    assert age.startswith("2 minutes")


@pytest.mark.pitfall("B20")
def test_what_does_the_info_page_show(visitor, clock):
    cart.put(visitor, "red apple", 3)
    clock.forward(seconds=50)
    row = Session.objects.get()
    _, _, left, age, date, closing, key, data, decoded = facts(visitor.get("/info/"))
    assert left.startswith("1 minute 10 seconds")
    assert "2030-01-07 09:02:00 UTC" in left
    assert age.startswith("2 minutes")
    assert "2030-01-07 09:02:50 UTC" in date
    assert closing == session_expiry.OUTLIVES_THE_BROWSER
    assert key == row.session_key
    assert data == row.session_data
    assert decoded.startswith("{'cart': {'red apple': 3}, '_session_expiry': 120}")


@pytest.mark.in_process
def test_what_if_the_server_forgets(visitor):
    cart.put(visitor, "apple", 3)
    Session.objects.all().delete()
    response = visitor.get("/display/")
    assert table(response) == {}
    assert notices(response) != []
    assert visitor.jar.get("sessionid_04") is None


def test_what_if_the_server_forgets_while_it_answers(visitor, monkeypatch):
    fields = cart.put(visitor, "apple", 3)
    put = storage.put
    monkeypatch.setattr(storage, "put", lambda *a: (put(*a), Session.objects.all().delete()))
    response = visitor.post("/add/", fields)
    assert response.status_code == 400
    assert error_pages.SESSION_DELETED in words(response)
    assert Session.objects.count() == 0


@pytest.mark.in_process
def test_what_if_what_is_kept_is_damaged(visitor, subtests):
    cart.put(visitor, "apple", 3)
    key = Session.objects.get().session_key
    for data in ["", "garbage", "a:b:c", "é", "x" * 5000]:
        with subtests.test(data=data):
            Session.objects.update(session_data=data)
            response = visitor.get("/display/")
            assert table(response) == {}
            assert notices(response) != []
            assert session_expiry.UNREADABLE in words(visitor.get("/info/"))
    cart.put(visitor, "pear")
    assert Session.objects.get().session_key == key
    assert cart.cart(visitor) == {"pear": 1}


@pytest.mark.in_process
@pytest.mark.claim("C89")
def test_what_if_what_is_kept_has_an_old_form(visitor):
    cart.put(visitor, "apple", 3)
    assert Session.objects.get().session_data.startswith("eyJ")  # {" in base64
    # The format before Django 3.1: base64 of a digest, a colon and the JSON data.
    text = '{"cart":{"apple":3}}'
    salt = "django.contrib.sessionsSessionStore"
    digest = salted_hmac(salt, text, algorithm="sha1").hexdigest()
    old = b64encode(f"{digest}:{text}".encode()).decode()
    assert ":" not in old
    Session.objects.update(session_data=old)
    assert Session.objects.get().get_decoded() == {}
    assert cart.cart(visitor) == {}


def test_is_a_session_key_taken_over_that_the_server_did_not_make(visitor, classmate):
    for browser in (visitor, classmate):
        browser.jar.store(f"sessionid_04={'a' * 32}; Path=/", browser.origin)
    cart.put(visitor, "apple", 3)
    assert visitor.jar.get("sessionid_04").value != "a" * 32
    assert cart.cart(classmate) == {}


def test_does_it_tell_large_letters_from_small_ones(visitor):
    cart.put(visitor, "apple", 3)
    key = visitor.jar.get("sessionid_04").value
    # MariaDB's default collation ignores case and trailing spaces.
    expected = {"apple": 3} if connection.vendor == "mysql" else {}
    for variant in (key.upper(), f'"{key}  "'):
        header = {"cookie": f"sessionid_04={variant}"}
        assert table(visitor.get("/display/", headers=header)) == expected
        visitor.jar.store(f"sessionid_04={key}; Path=/", visitor.origin)


def test_how_many_of_the_longest_names_fit(visitor):
    fields = cart.put(visitor, "🍎" * 40)
    for number in range(10, 99):
        response = visitor.post("/add/", fields | {"name": "🍎" * 38 + str(number)})
        assert response.status_code == 302
    assert len(cart.cart(visitor)) == 90


def test_what_can_the_visitor_be_told_after_the_end(visitor, clock):
    cart.put(visitor, "apple")
    row = Session.objects.get()
    row.expire_date = clock.now
    row.save()
    assert notices(visitor.get("/display/")) != []
    assert table(visitor.get("/display/")) == {}


@pytest.mark.in_process
@pytest.mark.thorough
def test_does_the_panel_predict_every_end(pytestconfig, monkeypatch):
    from labkit.testing.contracts.visit_timeline import compared_ends

    monkeypatch.setenv("LAB_PANEL", "1")
    assert compared_ends(pytestconfig.getoption("lab_examples")) > 20
