"""The panel remembers session keys, to explain why a key matches no session."""

import pytest

from labkit.panel.session_memory import LONGEST_KEY, MOST_KEYS, KeyFate, SessionMemory
from labkit.session_stores import cookie_expiry

SIGNED = "django.contrib.sessions.backends.signed_cookies"


@pytest.fixture
def memory():
    return SessionMemory()


def test_a_key_never_seen_is_unknown(memory):
    assert memory.fate("k", 0) == (KeyFate.UNKNOWN, None)


def test_a_saved_session_expires_when_it_said(memory):
    memory.note_saved("k", 100)
    memory.note_loaded("k")
    assert memory.fate("k", 99) == (KeyFate.GONE, None)
    assert memory.fate("k", 100) == (KeyFate.EXPIRED, 100)


def test_a_deleted_session_does_not_expire_later(memory):
    memory.note_saved("k", 100)
    memory.note_deleted("k", 50)
    assert memory.fate("k", 200) == (KeyFate.DELETED, None)
    memory.note_saved("k", 300)
    assert memory.fate("k", 200) == (KeyFate.GONE, None)


def test_deleting_an_expired_session_does_not_hide_that(memory):
    memory.note_saved("k", 100)
    memory.note_deleted("k", 150)  # the engine `file` deletes a session that has expired
    assert memory.fate("k", 200) == (KeyFate.EXPIRED, 100)


def test_a_session_without_a_known_expiry_is_gone(memory):
    memory.note_loaded("k")
    assert memory.fate("k", 1e12) == (KeyFate.GONE, None)
    memory.note_all_deleted()
    assert memory.fate("k", 1e12) == (KeyFate.DELETED, None)


def test_the_memory_is_bounded(memory):
    memory.note_saved("x" * (LONGEST_KEY + 1), 1)
    for number in range(MOST_KEYS + 1):
        memory.note_saved(str(number), 1)
    fates = [memory.fate(key, 2)[0] for key in ("0", "1", "x" * (LONGEST_KEY + 1))]
    assert fates == [KeyFate.UNKNOWN, KeyFate.EXPIRED, KeyFate.UNKNOWN]


@pytest.mark.parametrize("value", ["", "x", "a:b:c", "é" * 9])
def test_a_cookie_that_the_server_did_not_sign_has_no_expiry(value):
    assert cookie_expiry(value, SIGNED) is None
