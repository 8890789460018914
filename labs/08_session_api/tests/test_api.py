import ast
import inspect
import re

import django
import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import OperationalError

from lab import operations, saving
from labkit.base import error_pages
from labkit.testing.contracts import words
from labkit.testing.malformed_requests import unknown_session_ids
from tests.contract import SessionApiPages, as_json, as_values, is_empty, kept

ENGINES = ["db", "cached_db", "cache", "file", "signed_cookies"]


class TestSessionApi(SessionApiPages):
    raw_requests = unknown_session_ids("sessionid_08")


pages = TestSessionApi()


# Tests of what Django saves, read from the row after the response

FULL = {"tea": 2, "cart": {"tea": 1}, "testcookie": "worked"}
SAVES = {
    "assign", "kinds", "delete", "clear", "cycle_key", "set_test_cookie", "delete_test_cookie",
    "put_cart", "change_and_say_so", "delete_over_list",
}  # fmt: skip
SAVES_WHERE_NOTHING_IS = {
    "assign", "kinds", "setdefault", "cycle_key", "set_test_cookie", "put_cart"
}  # fmt: skip


@pytest.mark.parametrize("name", operations.OPERATIONS)
def test_what_it_says_of_a_full_session_is_what_the_row_says(visitor, clock, name):
    session = SessionStore()
    session.update(FULL)
    session.save()
    visitor.jar.store(f"sessionid_08={session.session_key}; Path=/", visitor.origin)
    before = Session.objects.get()
    clock.forward(seconds=10)
    told = pages.press(visitor, name)
    assert told.before == {key: repr(value) for key, value in FULL.items()}
    # Saving moves the expiry in the row and sends the cookie again. Without saving, neither
    # happens.
    sent = [line for line in visitor.exchanges[-1].set_cookies if line.startswith("sessionid")]
    if name == "flush":
        assert Session.objects.count() == 0
        assert not told.saved
        assert told.why == f"{saving.EMPTY} {saving.COOKIE_DELETED}"
        assert not told.lost  # the deletion has been saved to the row
        assert "Max-Age=0" in sent[0]
        assert visitor.jar.get("sessionid_08") is None
        return
    row = Session.objects.get()
    moved = (row.expire_date - before.expire_date).total_seconds()
    if name in SAVES:
        assert told.saved
        assert (moved, len(sent)) == (10, 1)
        assert row.get_decoded() == as_json(told.after)
    else:
        assert not told.saved
        assert (moved, len(sent)) == (0, 0)
        assert row.get_decoded() == before.get_decoded()
    assert (row.session_key == before.session_key) == (name != "cycle_key")
    assert told.keys == (before.session_key, row.session_key)


@pytest.mark.in_process
@pytest.mark.parametrize("name", operations.OPERATIONS)
def test_what_it_says_where_nothing_is_kept_yet_is_what_the_rows_say(visitor, name):
    told = pages.press(visitor, name)
    assert told.before == {}
    saves = name in SAVES_WHERE_NOTHING_IS
    assert told.saved == saves
    assert [row.get_decoded() for row in Session.objects.all()] == [as_json(told.after)] * saves
    assert (visitor.jar.get("sessionid_08") is not None) == saves
    # The code on the page is the code that runs.
    shown = {}
    exec(told.source, shown)  # noqa: S102 run the code from the page
    runs = operations.OPERATIONS[name]
    assert shown[name].__code__.co_code == runs.__code__.co_code
    assert shown[name].__code__.co_consts == runs.__code__.co_consts


@pytest.mark.in_process
def test_after_flush_there_is_no_row_and_the_old_key_opens_nothing(visitor):
    pages.press(visitor, "assign")
    key = visitor.jar.get("sessionid_08").value
    pages.press(visitor, "flush")
    assert not Session.objects.exists()
    visitor.jar.store(f"sessionid_08={key}; Path=/", visitor.origin)
    assert kept(visitor) == {}


@pytest.mark.in_process
def test_a_session_that_cannot_be_read_is_shown_as_empty_and_can_be_filled(visitor, subtests):
    pages.press(visitor, "assign")
    for data in ["", "garbage", "a:b:c"]:
        with subtests.test(data=data):
            Session.objects.update(session_data=data)
            assert pages.press(visitor, "put_cart").before == {}
            assert Session.objects.get().get_decoded() == {"cart": {"tea": 1}}


@pytest.mark.claim("C84")
def test_with_save_every_request_a_change_inside_is_saved_as_well(visitor, settings):
    settings.SESSION_SAVE_EVERY_REQUEST = True
    pages.press(visitor, "put_cart")
    told = pages.press(visitor, "change_inside")
    assert (told.saved, told.why) == (True, saving.EVERY_REQUEST)
    assert not told.lost
    assert Session.objects.get().get_decoded() == {"cart": {"tea": 2}}


# What the page shows


def test_before_is_what_was_kept_and_not_what_the_change_made_of_it(visitor):
    pages.press(visitor, "put_cart")
    told = pages.press(visitor, "change_and_say_so")
    assert (told.before, told.after) == ({"cart": "{'tea': 1}"}, {"cart": "{'tea': 2}"})


def test_a_file_changed_after_the_start_is_not_shown(visitor, monkeypatch):
    monkeypatch.setattr(inspect, "getsource", lambda function: "changed")
    assert '["tea"] = 2' in pages.press(visitor, "assign").source


def test_a_database_that_fails_is_not_taken_for_a_mistake(visitor, monkeypatch):
    def fail(request):
        raise OperationalError("the disk is full")

    monkeypatch.setitem(operations.OPERATIONS, "assign", fail)
    with visitor.expecting("server error"):
        response = visitor.submit("/api/", {"operation": "assign"})
    assert response.status_code == 503
    assert error_pages.STORE_TITLE in words(response)


@pytest.mark.pitfall("B05")
def test_an_empty_session_is_said_to_be_empty(visitor):
    assert is_empty(visitor.get("/api/"))
    # Without an entry, and without a key: Django 6.1 has changed the answer.
    assert pages.press(visitor, "truth").answer == str(django.VERSION < (6, 1))


@pytest.mark.pitfall("B05")
def test_the_expectation_stands_beside_what_happened(visitor):
    pages.press(visitor, "assign", "delete")
    told = pages.press(visitor, "truth")  # for a session that has a key but no entries
    assert told.returns == ("False", "True")
    assert told.surprises == ["not-a-dictionary"]
    told = pages.press(visitor, "put_cart", "change_inside")
    assert told.finds == ("{'cart': {'tea': 2}}", "{'cart': {'tea': 1}}")
    assert told.surprises == ["change-not-saved"]


def test_a_first_save_explains_the_missing_key(visitor):
    first = pages.press(visitor, "assign")
    assert first.keys == ("None", "None")
    assert "key-comes-with-the-save" in first.surprises
    second = pages.press(visitor, "assign")
    assert second.keys[0] == visitor.jar.get("sessionid_08").value
    assert second.surprises == []


@pytest.mark.parametrize("engine", ENGINES)
def test_it_knows_what_json_makes_of_values(use_engine, visitor, engine):
    use_engine(engine)
    told = pages.press(visitor, "kinds")
    assert ast.literal_eval(told.finds[1]) == as_values(kept(visitor))
    assert ("json-changes-values" in told.surprises) == (engine not in {"cache", "cached_db"})


def test_only_a_dictionary_lacks_what_sessions_have(visitor):
    told = pages.press(visitor, "assign", "cycle_key")
    assert told.returns[0] != told.returns[1] == "None"
    assert told.surprises == ["not-a-dictionary"]


# The claims: each test presses the button that shows its claim


@pytest.mark.claim("C08")
def test_the_key_is_a_text_and_no_dictionary(visitor):
    told = pages.press(visitor, "assign", "session_key")
    assert re.fullmatch("'[a-z0-9]{32}'", told.answer)
    assert told.answer == f"'{visitor.jar.get('sessionid_08').value}'"


@pytest.mark.claim("C51")
def test_a_session_is_read_and_written_like_a_dictionary_but_has_no_length_and_no_loop(visitor):
    assert pages.press(visitor, "assign", "read").answer == "2"
    assert pages.press(visitor, "contains").answer == "True"
    assert pages.press(visitor, "delete", "get").answer == "'no tea'"
    told = pages.press(visitor, "length")
    assert told.mistake == "TypeError: object of type 'SessionStore' has no len()"
    assert pages.press(visitor, "as_list").mistake == "KeyError: 0"


@pytest.mark.claim("C52")
def test_what_is_stored_is_read_again_but_pairs_become_lists_and_numbers_text(visitor):
    stored = pages.press(visitor, "kinds").after
    assert stored == {
        "kinds": "[2, 2.5, True, None]",
        "pair": "(1, 2)",
        "numbers": "{1: 'one'}",
    }
    assert kept(visitor) == stored | {"pair": "[1, 2]", "numbers": "{'1': 'one'}"}


@pytest.mark.claim("C53")
def test_deleting_what_is_not_there_is_a_key_error(visitor):
    pages.press(visitor, "assign")
    assert pages.press(visitor, "delete").mistake is None
    assert pages.press(visitor, "delete").mistake == "KeyError: 'tea'"


@pytest.mark.claim("C54", "C55", "C56")
def test_in_keys_and_items(visitor):
    assert pages.press(visitor, "contains").answer == "False"
    assert pages.press(visitor, "assign", "contains").answer == "True"
    assert pages.press(visitor, "keys").answer == "dict_keys(['tea'])"
    assert pages.press(visitor, "items").answer == "dict_items([('tea', 2)])"


@pytest.mark.in_process
@pytest.mark.claim("C57")
def test_clear_takes_out_every_entry_and_leaves_row_key_and_cookie(visitor):
    pages.press(visitor, "assign", "put_cart")
    key = Session.objects.get().session_key
    told = pages.press(visitor, "clear")
    assert told.after == {}
    row = Session.objects.get()
    assert (row.session_key, row.get_decoded()) == (key, {})
    assert f"sessionid_08={key};" in visitor.exchanges[-1].set_cookies[-1]


@pytest.mark.claim("C58")
def test_setdefault_puts_in_what_is_missing_and_leaves_what_is_there(visitor):
    told = pages.press(visitor, "setdefault")
    assert (told.answer, told.saved) == ("7", True)
    told = pages.press(visitor, "assign", "setdefault")
    assert (told.answer, told.saved, told.after) == ("2", False, {"tea": "2"})


@pytest.mark.in_process
@pytest.mark.claim("C82")
def test_deleting_every_key_deletes_no_session(visitor, classmate):
    pages.press(visitor, "assign", "put_cart")
    pages.press(classmate, "assign")
    pages.press(visitor, "delete_over_list")
    rows = {row.session_key: row.get_decoded() for row in Session.objects.all()}
    mine, other = (who.jar.get("sessionid_08").value for who in (visitor, classmate))
    assert rows == {mine: {}, other: {"tea": 2}}


@pytest.mark.in_process
@pytest.mark.claim("C83")
def test_deleting_one_key_leaves_the_other_the_row_and_the_cookie(visitor):
    visitor.submit("/student/set/", {"name": "Asha", "email": "asha@example.org"})
    key = visitor.jar.get("sessionid_08").value
    visitor.submit("/student/delete/", page="/student/get/")
    row = Session.objects.get()
    assert (row.session_key, row.get_decoded()) == (key, {"semail": "asha@example.org"})
    assert visitor.jar.get("sessionid_08").value == key


def test_a_new_key_keeps_every_entry_and_the_old_one_opens_nothing(visitor):
    old, _ = pages.press(visitor, "assign", "session_key").keys
    assert pages.press(visitor, "cycle_key").after == {"tea": "2"}
    visitor.edit_cookie("sessionid_08", old)
    assert kept(visitor) == {}


def test_the_test_cookie_is_an_entry_like_others(visitor):
    assert pages.press(visitor, "test_cookie_worked").answer == "False"
    assert pages.press(visitor, "set_test_cookie").after == {"testcookie": "'worked'"}
    assert pages.press(visitor, "test_cookie_worked").answer == "True"
    assert pages.press(visitor, "delete_test_cookie").after == {}
    assert pages.press(visitor, "delete_test_cookie").mistake == "KeyError: 'testcookie'"


# On every engine


@pytest.mark.thorough
@pytest.mark.parametrize("engine", ENGINES[1:])
def test_every_button_tells_the_truth_on_every_engine(visitor, use_engine, subtests, engine):
    use_engine(engine)
    pages.test_every_button_tells_the_truth_about_what_is_kept(visitor, subtests)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_buttons_work_on_every_engine(visitor, use_engine, engine):
    use_engine(engine)
    pages.press(visitor, "assign", "put_cart", "change_inside", "cycle_key", "delete_in_loop")
    assert kept(visitor) == {"tea": "2", "cart": "{'tea': 1}"}
    told = pages.press(visitor, "flush")
    assert (told.keys[1], visitor.jar.get("sessionid_08")) == ("None", None)
    assert kept(visitor) == {}
