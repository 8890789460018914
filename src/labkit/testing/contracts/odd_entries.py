"""The promise of every lab with sessions: whatever is in a session, its pages open."""

import itertools
import secrets
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from labkit.testing.contracts.common import RawRequests
from labkit.testing.contracts.pages import notices

# Values that JSON can bring and no lab stores. The number of a surrogate is not a character.
ODD_VALUES: list[Any] = [
    None, True, 5, -1, 2.5, 10**30, float("inf"), float("nan"), "", "five", "\ud800", "x" * 5000,
    "2099-01-01", "9999-12-31T23:59:59+00:00", [], ["apple"], {}, {"": 1}, {"\ud800": 1},
    {"apple": "five"}, {"apple": None}, {"apple": True}, {"apple": 10**30}, {"apple": [1]},
    {"name": 5, "age": [30], "gf": None, "other": {}},
]  # fmt: skip
DJANGO_VALUES: list[Any] = ["five", "\ud800", "2099-01-01", ["apple"], {"apple": 1}, float("inf")]
UNREADABLE: list[Any] = [["apple"], "five", 2.5]
EXPIRY = "_session_expiry"  # Django's own entry, in every lab


@pytest.mark.no_database  # which keeps the entries as base64
class OddEntriesContract(RawRequests):
    """Each odd value in each entry: no page and no form breaks, and the next request works."""

    session_cookie: str
    entries: Sequence[str]  # of this lab
    django_entries: Sequence[str] = ()  # of Django's own, apart from the expiry
    pages: Sequence[str]  # that read the session; the first one says what is wrong with it
    forms: Sequence[tuple[str, dict[str, Any]]]  # (path, fields) of forms that change the session

    def give(self, visitor: Any, entry: str, value: Any) -> None:
        """Give this visitor a session with this entry."""
        self.give_entries(visitor, {entry: value})

    def give_entries(self, visitor: Any, entries: dict[str, Any]) -> None:
        """Give this visitor a session with these entries, as another program could write it."""
        from django.contrib.sessions.backends.db import SessionStore
        from django.contrib.sessions.models import Session
        from django.utils import timezone

        key = secrets.token_hex(16)
        Session.objects.create(
            session_key=key,
            session_data=SessionStore().encode(entries),
            expire_date=timezone.now() + timedelta(days=1),
        )
        visitor.jar.store(f"{self.session_cookie}={key}; Path=/", visitor.origin)

    def check(self, visitor: Any, response: Any, *of: Any) -> None:
        """Fail if the response is an error of the server, or a refusal for another reason.

        A page may say that the session is deleted; the next one opens. A page that leaves the
        session as it was needs no next one: the first page is opened with the same session.
        """
        assert response.status_code not in {403, 404, 405, 500, 503}, of
        if response.status_code == 200 and self.session_cookie not in response.cookies:
            return
        next_one = visitor.get(self.pages[0])
        if next_one.status_code == 400:
            next_one = visitor.get(self.pages[0])
        assert next_one.status_code == 200, of

    def cases(self) -> Iterator[tuple[str, Any]]:
        """Yield (entry, value): each value in this lab's, and some of them in Django's own."""
        yield from itertools.product(self.entries, ODD_VALUES)
        yield from itertools.product((EXPIRY, *self.django_entries), DJANGO_VALUES)

    @pytest.mark.in_process
    def test_an_odd_entry_breaks_no_page(self, visitor):
        visitor.raise_request_exception = False  # the response to an exception is looked at
        for entry, value in self.cases():
            for path in self.pages:
                self.give(visitor, entry, value)
                self.check(visitor, visitor.get(path), path, entry, value)

    @pytest.mark.in_process
    def test_an_odd_entry_breaks_no_form(self, visitor):
        from django.conf import settings

        for path, fields in self.forms:
            person = visitor.new_visitor()
            person.raise_request_exception = False
            sent = self.with_token(person, **fields)
            csrf_cookie = person.jar.get(settings.CSRF_COOKIE_NAME)
            for entry, value in self.cases():
                person.jar.clear()
                person.jar.store(f"{csrf_cookie.pair}; Path=/", person.origin)
                self.give(person, entry, value)
                self.check(person, person.post(path, sent), path, entry, value)

    @pytest.mark.in_process
    @pytest.mark.parametrize("value", UNREADABLE)
    def test_an_unreadable_entry_is_said_to_be_so(self, visitor, value):
        self.give(visitor, self.entries[0], value)
        assert notices(visitor.get(self.pages[0])) != []


class OddCartEntries(OddEntriesContract):
    """The same of a cart; pages and forms as in lab 04."""

    entries = ("cart",)
    pages = ("/display/", "/", "/add/", "/info/")
    form = "/add/"
    forms = (
        ("/add/", {"name": "apple", "quantity": 1}),
        ("/remove/", {"name": "apple"}),
        ("/empty/", {}),
    )


class OddCountEntries(OddEntriesContract):
    """The same of a page count; the page and the form as in lab 06."""

    entries = ("count",)
    pages = ("/", "/prefetch/")
    forms = (("/forget/", {}),)
