"""The contract of labs with sessions: pages must open, whatever the session contains."""

import itertools
import secrets
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from labkit.testing.contracts.common import RawRequests
from labkit.testing.contracts.pages import notices

# Values that JSON can contain but that no lab stores. "\ud800" is a lone surrogate.
ODD_VALUES: list[Any] = [
    None, True, 5, -1, 2.5, 10**30, float("inf"), float("nan"), "", "five", "\ud800", "x" * 5000,
    "2099-01-01", "9999-12-31T23:59:59+00:00", [], ["apple"], {}, {"": 1}, {"\ud800": 1},
    {"apple": "five"}, {"apple": None}, {"apple": True}, {"apple": 10**30}, {"apple": [1]},
    {"name": 5, "age": [30], "gf": None, "other": {}},
]  # fmt: skip
DJANGO_VALUES: list[Any] = ["five", "\ud800", "2099-01-01", ["apple"], {"apple": 1}, float("inf")]
UNREADABLE: list[Any] = [["apple"], "five", 2.5]
EXPIRY = "_session_expiry"  # Django's entry for the expiry, which any lab may have


@pytest.mark.no_database  # the database stores entries only as base64
class OddEntriesContract(RawRequests):
    """The promise that unexpected values in a session break no page, form or later request."""

    session_cookie: str
    entries: Sequence[str]  # this lab's entries
    django_entries: Sequence[str] = ()  # Django's entries that the lab uses, except the expiry
    pages: Sequence[str]  # pages that read the session; the first reports an invalid entry
    forms: Sequence[tuple[str, dict[str, Any]]]  # (path, fields) of forms that change the session

    def give(self, visitor: Any, entry: str, value: Any) -> None:
        """Give this visitor a new session with only this entry."""
        self.give_entries(visitor, {entry: value})

    def give_entries(self, visitor: Any, entries: dict[str, Any]) -> None:
        """Give this visitor a new session with these entries, as another program might save it."""
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
        """Fail if the response is a server error, or a refusal for a reason other than the session.

        A page may say that the session was deleted; after that, the first page must open. No check
        follows a page that leaves the session unchanged, since the first page is opened with every
        session.
        """
        assert response.status_code not in {403, 404, 405, 500, 503}, of
        if response.status_code == 200 and self.session_cookie not in response.cookies:
            return
        next_one = visitor.get(self.pages[0])
        if next_one.status_code == 400:
            next_one = visitor.get(self.pages[0])
        assert next_one.status_code == 200, of

    def cases(self) -> Iterator[tuple[str, Any]]:
        """Yield (entry, value): all odd values for the lab's entries, and some for Django's."""
        yield from itertools.product(self.entries, ODD_VALUES)
        yield from itertools.product((EXPIRY, *self.django_entries), DJANGO_VALUES)

    @pytest.mark.in_process
    def test_an_odd_entry_breaks_no_page(self, visitor):
        visitor.raise_request_exception = False  # check the response instead
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
    def test_an_unreadable_entry_is_reported(self, visitor, value):
        self.give(visitor, self.entries[0], value)
        assert notices(visitor.get(self.pages[0])) != []


class OddCartEntries(OddEntriesContract):
    """The promise for carts that have the pages and forms of lab 04."""

    entries = ("cart",)
    pages = ("/display/", "/", "/add/", "/info/")
    form = "/add/"
    forms = (
        ("/add/", {"name": "apple", "quantity": 1}),
        ("/remove/", {"name": "apple"}),
        ("/empty/", {}),
    )


class OddCountEntries(OddEntriesContract):
    """The promise for page counts that have the pages and form of lab 06."""

    entries = ("count",)
    pages = ("/", "/prefetch/")
    forms = (("/forget/", {}),)
