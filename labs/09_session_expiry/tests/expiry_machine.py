"""A state machine that uses the lab at random and checks it against a model."""

import math
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from hypothesis import strategies
from hypothesis.stateful import rule

from labkit.testing.state_machine import Machine, people
from labkit.testing.visitor import Visitor
from labkit.text_format import duration
from tests.contract import ExpiryPages, listing, what_holds

FOURTEEN_DAYS = 14 * 24 * 3600
SECONDS = {"120": 120, "300": 300, "0": FOURTEEN_DAYS, "none": FOURTEEN_DAYS}

policies = strategies.sampled_from([*SECONDS, "datetime", "timedelta"])
waits = strategies.sampled_from([1, 59, 60, 119, 120, 121, 179, 180, 300, FOURTEEN_DAYS])

lab = ExpiryPages()


@dataclass
class Row:
    """A row of the store, with its expiry in POSIX seconds."""

    policy: str = "none"
    end: float = 0
    fixed: float | None = None  # the expiry, if the visitor chose a date

    def written(self, now: float) -> None:
        """Move the expiry as a write does."""
        self.end = self.fixed or now + SECONDS[self.policy]


@dataclass
class Person:
    """A visitor, with the row in the model that the cookie matches, and the cookie's expiry."""

    visitor: Visitor = field(default_factory=Visitor)
    row: Row | None = None
    cookie_end: float = 0


class ExpiryMachine(Machine):
    """Model two visitors and one store. A setting decides whether every request saves."""

    def __init__(self) -> None:
        super().__init__()
        self.people = [Person(), Person()]
        self.rows: list[Row] = []
        Session.objects.all().delete()

    def _row(self, person: Person) -> Row | None:
        """Return the row that this person's cookie matches now."""
        if person.row and person.cookie_end > self.now and person.row.end > self.now:
            return person.row
        return None

    def _save(self, person: Person, row: Row) -> None:
        row.written(self.now)
        person.row = row
        person.cookie_end = math.inf if row.policy == "0" else row.end

    def _visited(self, person: Person) -> None:
        """Update the model for a request that does not change the session."""
        row = self._row(person)
        if row is None:
            person.row = None
        elif settings.SESSION_SAVE_EVERY_REQUEST:
            self._save(person, row)

    def _write(self, person: Person, policy: str | None = None) -> None:
        self._visited(person)  # a visitor opens the page with the form first
        row = self._row(person)
        if row is None:
            self.rows.append(row := Row())
        if policy:
            row.policy, row.fixed = policy, None
        if policy == "timedelta":
            row.fixed = self.now + 180
        if policy == "datetime":
            row.fixed = self.now // 60 * 60 + 180
        self._save(person, row)

    def _agrees(self, person: Person, page: Any) -> None:
        self._visited(person)
        shown = what_holds(page)
        row = self._row(person)
        assert bool(shown) == bool(row)
        if row:
            assert shown["left"] == duration(round(row.end - self.now))
            assert ("Max-Age" not in shown["cookie"]) == (row.policy == "0")

    @rule(who=people, policy=policies)
    def choose(self, who: int, policy: str) -> None:
        """Choose an expiry."""
        page = lab.choose(self.people[who].visitor, policy)
        self._write(self.people[who], policy)
        self._agrees(self.people[who], page)

    @rule(who=people)
    def write(self, who: int) -> None:
        """Press the button that writes."""
        page = lab.write(self.people[who].visitor)
        self._write(self.people[who])
        self._agrees(self.people[who], page)

    @rule(who=people)
    def read(self, who: int) -> None:
        """Open two pages."""
        person = self.people[who]
        person.visitor.get("/read/")
        self._agrees(person, person.visitor.get("/"))

    @rule(seconds=waits)
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.clock.forward(seconds=seconds)

    @rule(who=people)
    def close_the_browser(self, who: int) -> None:
        """Close the browser. It deletes a cookie without an expiry, but the row stays."""
        person = self.people[who]
        person.visitor.close_browser()
        if person.cookie_end == math.inf:
            person.row = None

    @rule()
    def look_at_the_rows(self) -> None:
        """Check that a new visitor sees every row, expired ones too."""
        shown = sorted(row.left <= 0 for row in listing(Visitor().get("/rows/")))
        assert shown == sorted(row.end <= self.now for row in self.rows)

    @rule()
    def clear_what_has_expired(self) -> None:
        """Delete the expired rows, and no others."""
        Visitor().submit("/clear-expired/", page="/rows/")
        self.rows = [row for row in self.rows if row.end >= self.now]
        assert Session.objects.count() == len(self.rows)
