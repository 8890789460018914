"""Test that clearing in batches deletes only expired rows."""

import os
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.sessions.backends import file
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from labkit.base.session_cleanup import clear_expired

pytestmark = pytest.mark.django_db


def sessions(many, *, left):
    """Create this many sessions that expire after `left`, and return their keys."""
    end = timezone.now() + left
    rows = [
        Session(session_key=f"{left.days:x}-{n}", session_data="", expire_date=end)
        for n in range(many)
    ]
    return {row.session_key for row in Session.objects.bulk_create(rows)}


def keys():
    return set(Session.objects.values_list("session_key", flat=True))


def test_what_has_expired_goes_by_the_batch_and_the_rest_stays():
    sessions(5, left=timedelta(days=-1))
    alive = sessions(3, left=timedelta(days=1))
    assert list(clear_expired(batch=2)) == [2, 2, 1]
    assert keys() == alive


def test_a_session_that_is_prolonged_meanwhile_is_kept():
    expired = sessions(3, left=timedelta(days=-1))
    prolonged = min(expired)

    def prolong_first(execute, sql, *arguments):
        if sql.startswith("DELETE"):
            later = timezone.now() + timedelta(days=1)
            Session.objects.filter(session_key=prolonged).update(expire_date=later)
        return execute(sql, *arguments)

    with connection.execute_wrapper(prolong_first):
        assert sum(clear_expired(batch=2)) == 2
    assert keys() == {prolonged}


def test_what_expires_while_it_runs_is_left_for_the_next_time(clock):
    sessions(2, left=timedelta(days=-1))
    soon = sessions(2, left=timedelta(seconds=30))
    batches = clear_expired(batch=1)
    next(batches)
    clock.forward(minutes=1)
    assert sum(batches) == 1
    assert keys() == soon


def test_no_row_is_taken_for_expired_that_a_store_would_still_load():
    store = SessionStore()
    store.set_expiry(300)
    store["apple"] = 1
    store.save()
    assert list(clear_expired()) == []
    assert SessionStore(store.session_key)["apple"] == 1


def test_the_command_says_how_many_went():
    sessions(5, left=timedelta(days=-1))
    said = StringIO()
    call_command("clearexpired", batch=2, stdout=said)
    assert [word for word in said.getvalue().split() if word.isdigit()] == ["5"]


@pytest.mark.parametrize("batch", [0, -1])
def test_a_batch_of_nothing_is_refused(batch):
    with pytest.raises(CommandError, match="--batch"):
        call_command("clearexpired", batch=batch)


def test_session_files_are_cleared_as_django_does_it(settings, use_engine):
    use_engine("file")
    for days in (15, 13):
        store = file.SessionStore()
        store.save()
        saved = (timezone.now() - timedelta(days=days)).timestamp()
        os.utime(store._key_to_file(), (saved, saved))
    assert list(clear_expired()) == []
    assert [str(path) for path in settings.SESSION_FILE_PATH.iterdir()] == [store._key_to_file()]
