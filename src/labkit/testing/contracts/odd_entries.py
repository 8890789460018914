"""The contract of labs with sessions: pages must open, whatever the session contains."""

import itertools
import secrets
from collections.abc import Iterator, Sequence
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest

from labkit.testing.contracts.common import RawRequests
from labkit.testing.contracts.pages import notices, number, table

# Values that JSON can contain but that no lab stores. "\ud800" is a lone surrogate.
ODD_VALUES: list[Any] = [
    None, True, 5, -1, 2.5, 10**30, float("inf"), float("nan"), "", "five", "\ud800", "x" * 5000,
    "2099-01-01", "9999-12-31T23:59:59+00:00", [], ["apple"], {}, {"": 1}, {"\ud800": 1},
    {"apple": "five"}, {"apple": None}, {"apple": True}, {"apple": 10**30}, {"apple": [1]},
    {"name": 5, "age": [30], "gf": None, "other": {}},
]  # fmt: skip
DJANGO_VALUES: list[Any] = ["five", "\ud800", "2099-01-01", ["apple"], {"apple": 1}, float("inf")]
NO_COUNTS: list[Any] = [-1, 2.5, 1_000_000, "five", "-7", "1_0", "٣", ["apple"]]
CHANGED_CARTS: list[tuple[Any, dict[str, int]]] = [
    ("five", {}), (["apple"], {}), ([["apple", 3]], {}),
    ({"apple": "five", "pear": -1, "plum": 1000, "x" * 41: 1, "fig": 3}, {"fig": 3}),
]  # fmt: skip
UNREADABLE: list[Any] = [["apple"], "five", 2.5]
EXPIRY = "_session_expiry"  # Django's entry for a session's expiry, which every lab may have


# The choice of database does not matter, since it stores all entries as base64.
@pytest.mark.no_database
class OddEntriesContract(RawRequests):
    """Tests that unexpected values in a session break no page, form or later request."""

    session_cookie: str
    entries: Sequence[str]  # this lab's entries
    # The names of Django's entries that the lab uses, except for the expiry.
    django_entries: Sequence[str] = ()
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
        """Fail if the response is a server error, or a refusal not caused by the session.

        A page may say that the session was deleted; after that, the first page must open. After a
        page that leaves the session unchanged, this is not checked, since the first page is opened
        with every session anyway.
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
    """Tests with unexpected values for carts that have the pages and forms of lab 04."""

    entries = ("cart",)
    pages = ("/display/", "/", "/add/", "/info/")
    form = "/add/"
    forms = (
        ("/add/", {"name": "apple", "quantity": 1}),
        ("/remove/", {"name": "apple"}),
        ("/empty/", {}),
    )

    @pytest.mark.in_process
    def test_of_a_changed_cart_only_valid_items_are_shown(self, visitor):
        for stored, shown in CHANGED_CARTS:
            visitor.submit("/add/", {"name": "apple", "quantity": 3})
            change_entries(visitor, stored)
            assert table(visitor.get("/display/")) == shown, stored


class OddCountEntries(OddEntriesContract):
    """Tests with unexpected values for page counts that have the pages and form of lab 06."""

    entries = ("count",)
    pages = ("/", "/prefetch/")
    forms = (("/forget/", {}),)

    def test_the_browser_has_the_session_key_and_the_token(self, visitor):
        from django.conf import settings

        visitor.get("/")
        names = {settings.CSRF_COOKIE_NAME, self.session_cookie}
        assert {cookie.name for cookie in visitor.jar} == names

    @pytest.mark.in_process
    def test_an_entry_that_is_no_count_counts_as_none(self, visitor):
        for value in NO_COUNTS:
            visitor.get("/")
            change_entries(visitor, value)
            page = visitor.get("/")
            assert number(page) == 1, value
            assert notices(page) != [], value
            assert number(visitor.get("/")) == 2, value

    def test_forgetting_twice_is_no_error(self, visitor):
        token = self.with_token(visitor)
        for _ in range(2):
            assert visitor.post("/forget/", token).status_code in {302, 303}
        assert number(visitor.get("/")) == 1


def change_entries(visitor: Any, value: Any) -> None:
    """Set every entry that a lab stored in a session to this value; keep Django's own entries."""
    from django.conf import settings

    store = import_module(settings.SESSION_ENGINE).SessionStore
    session = store(visitor.jar.get(settings.SESSION_COOKIE_NAME).value)
    session.update({name: value for name in session.keys() if not name.startswith("_")})  # noqa: SIM118
    session.save()
