"""State machines that use carts and page counts in random ways, and check them with models."""

import math
from dataclasses import dataclass, field

from django.conf import settings
from django.http import HttpResponseBase
from hypothesis import strategies
from hypothesis.stateful import rule

from labkit.testing.contracts.pages import number, table
from labkit.testing.state_machine import Machine, people
from labkit.testing.visitor import Visitor

LIFETIME = 120  # seconds
MOST = 999

names = strategies.sampled_from(["apple", "red apple", "अनार", "_session_expiry", "path"])
quantities = strategies.one_of(strategies.integers(1, 5), strategies.integers(400, MOST))
waits = strategies.sampled_from([1, 30, 59, 60, 61, 119, 120, 121])


@dataclass
class Person:
    """A visitor, and the cart according to the model: {name: [quantity, expiry]}."""

    visitor: Visitor
    cart: dict[str, list[float]] = field(default_factory=dict)

    def token(self) -> str:
        """Return the visitor's CSRF token, or an invalid one if cookies are blocked."""
        name = settings.CSRF_COOKIE_NAME
        if not self.visitor.jar.get(name):
            self.visitor.get("/add/")
        cookie = self.visitor.jar.get(name)
        return cookie.value if cookie else "x" * 64

    def expected(self, now: float) -> dict[str, int]:
        """Return {name: quantity} for the items not yet expired at `now`, in POSIX seconds."""
        self.cart = {name: kept for name, kept in self.cart.items() if kept[1] > now}
        return {name: int(quantity) for name, (quantity, _) in self.cart.items()}


class CartMachine(Machine):
    """A cart that keeps each item for LIFETIME seconds.

    Carts differ only in the value of `renews`. With "item", adding an item extends that item's
    lifetime. With "cart", any change extends the lifetime of all items.
    """

    renews: str

    def __init__(self) -> None:
        super().__init__()
        self.people = [Person(Visitor()), Person(Visitor())]

    def _written(self, person: Person) -> None:
        if self.renews == "cart":
            for kept in person.cart.values():
                kept[1] = self.now + LIFETIME

    def _look(self, person: Person, page: HttpResponseBase | None = None) -> None:
        shown = table(page or person.visitor.get("/display/"))
        assert shown == ({} if person.visitor.jar.blocked else person.expected(self.now))

    @rule(who=people, name=names, quantity=quantities)
    def add(self, who: int, name: str, quantity: int) -> None:
        """Send the form to add an item, without opening it again."""
        person = self.people[who]
        total = person.expected(self.now).get(name, 0) + quantity
        fields = {"name": name, "quantity": quantity, "csrfmiddlewaretoken": person.token()}
        response = person.visitor.post("/add/", fields, follow=True)
        if person.visitor.jar.blocked:
            assert response.status_code == 403
        elif total > MOST:
            assert response.status_code == 422
            self._look(person)
        else:
            person.cart[name] = [total, self.now + LIFETIME]
            self._written(person)
            self._look(person, response)

    @rule(who=people, data=strategies.data())
    def remove(self, who: int, data: strategies.DataObject) -> None:
        """Press one of the Remove buttons, if there is one."""
        person = self.people[who]
        goods = person.expected(self.now)
        if goods and not person.visitor.jar.blocked:
            name = data.draw(strategies.sampled_from(sorted(goods)))
            response = person.visitor.submit("/remove/", {"name": name}, page="/display/")
            del person.cart[name]
            self._written(person)
            self._look(person, response)

    @rule(who=people)
    def empty(self, who: int) -> None:
        """Press the Empty button, if there is one."""
        person = self.people[who]
        if person.expected(self.now) and not person.visitor.jar.blocked:
            response = person.visitor.submit("/empty/", page="/display/")
            person.cart.clear()
            self._look(person, response)

    @rule(seconds=waits)
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.clock.forward(seconds=seconds)
        for person in self.people:
            self._look(person)

    @rule(who=people, first=names, second=names)
    def add_two_a_minute_apart(self, who: int, first: str, second: str) -> None:
        """Add two items a minute apart, to show the effect of `renews`; random steps seldom do."""
        for name in (first, second):
            self.add(who, name, 1)
            self.wait(60)

    @rule(who=people)
    def close_the_browser(self, who: int) -> None:
        """Close and reopen the browser, which keeps the cookies because they have an expiry."""
        self.people[who].visitor.close_browser()
        self._look(self.people[who])

    @rule(who=people, blocked=strategies.booleans())
    def block_cookies(self, who: int, blocked: bool) -> None:
        """Block cookies, so that the cart is hidden; or allow them, so that it is shown again."""
        self.people[who].visitor.block_cookies(blocked)
        self._look(self.people[who])


class PageCountMachine(Machine):
    """A page count that forgets a visitor after a certain time without visits."""

    lifetime: int | None  # in seconds; None means until the browser closes

    def __init__(self) -> None:
        super().__init__()
        self.visitors = [Visitor(), Visitor()]
        self.counts = [0, 0]
        self.ends = [0.0, 0.0]

    @rule(who=people)
    def visit(self, who: int) -> None:
        """Visit the page, and check the count. With cookies blocked, the count is always 1."""
        now = self.now
        if self.visitors[who].jar.blocked:
            assert number(self.visitors[who].get("/")) == 1
            return
        if now >= self.ends[who]:
            self.counts[who] = 0
        self.counts[who] += 1
        self.ends[who] = now + self.lifetime if self.lifetime else math.inf
        assert number(self.visitors[who].get("/")) == self.counts[who]

    @rule(who=people)
    def look_ahead(self, who: int) -> None:
        """Send a HEAD request, which is not counted."""
        self.visitors[who].head("/")

    @rule(who=people)
    def forget(self, who: int) -> None:
        """Press the button that resets the count; the page then shows 1."""
        visitor = self.visitors[who]
        if not visitor.jar.blocked:
            self.visit(who)
            self.counts[who] = 1
            assert number(visitor.submit("/forget/", page=visitor.exchanges[-1].response)) == 1

    @rule(seconds=strategies.sampled_from([1, 150, 299, 300, 301]))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.clock.forward(seconds=seconds)

    @rule(who=people)
    def close_the_browser(self, who: int) -> None:
        """Close and reopen the browser, which keeps the cookie only if it has a lifetime."""
        self.visitors[who].close_browser()
        if self.lifetime is None:
            self.counts[who] = 0

    @rule(who=people, blocked=strategies.booleans())
    def block_cookies(self, who: int, blocked: bool) -> None:
        """Block cookies, so that every visit seems to be the first; or allow them again."""
        self.visitors[who].block_cookies(blocked)
