"""The questions about a cart; pages and fields as in labs 03, 04 and 10."""

from collections.abc import Iterator
from itertools import count
from random import Random

from django.apps import apps
from django.core.management import call_command

from labkit import stores
from labkit.compare.probes.base import probe, thorough_probe
from labkit.compare.probes.observations import (
    forged,
    opened,
    own_cookies,
    own_jar,
    queries_in,
    yes,
)
from labkit.compare.probes.servers import restarted, seen_by_a_second
from labkit.testing.contracts import CartPages, table
from labkit.testing.wire_visitor import WireVisitor
from labkit.text import quantities

cart = CartPages()


# How long it lives


@probe
def browser_closed(visitor):
    """Close the browser, open it again, look."""
    cart.put(visitor, "apple", 3)
    visitor.close_browser()
    return yes(cart.cart(visitor) == {"apple": 3})


@thorough_probe
def server_restarted(servers):
    """Kill the server, start it again on the same state, look."""
    server = servers.one()
    visitor = WireVisitor(server.port)
    cart.put(visitor, "apple")
    assert cart.cart(visitor) == {"apple": 1}
    restarted(server)
    return yes(cart.cart(visitor) == {"apple": 1})


@probe
def reading_prolongs(visitor, clock):
    """Look at it every minute; after two minutes it is there, or gone."""
    cart.put(visitor, "apple", 3)
    clock.forward(seconds=60)
    assert cart.cart(visitor) == {"apple": 3}
    clock.forward(seconds=60)
    return yes(cart.cart(visitor) == {"apple": 3})


@probe
def adding_prolongs_the_rest(visitor, clock):
    """Add an apple, and 100 seconds later a pear; is the apple there 100 seconds after that?"""
    cart.put(visitor, "apple")
    clock.forward(seconds=100)
    cart.put(visitor, "pear")
    clock.forward(seconds=100)
    return yes("apple" in cart.cart(visitor))


@probe
def server_ends_it(visitor, clock):
    """Send the cookies once more when the browser would not: 120 seconds after the add."""
    cart.put(visitor, "apple", 3)
    copied = "; ".join(cookie.pair for cookie in own_jar(visitor))
    clock.forward(seconds=120)
    assert cart.cart(visitor) == {}
    return yes(table(visitor.get("/display/", headers={"cookie": copied})) == {})


@probe
def server_can_wipe_it(visitor):
    """Take away all that lies on the server, and look."""
    cart.put(visitor, "apple", 3)
    stores.wipe()
    return yes(cart.cart(visitor) == {})


# Whose hands it is in


@probe
def visitor_can_read(visitor):
    """Look for the item's name in the cookies, as they are and decoded."""
    cart.put(visitor, "apple", 3)
    return yes(any("apple" in f"{c.pair}{opened(c.value)}" for c in own_jar(visitor)))


@probe
def visitor_can_change(visitor):
    """Put 999 wherever a cookie has the quantity, signed text included, and look."""
    cart.put(visitor, "apple", 321)
    for cookie in own_jar(visitor):
        visitor.edit_cookie(cookie.name, forged(cookie.value, "321", "999"))
    return yes(cart.cart(visitor) == {"apple": 999})


@probe
def replay(visitor):
    """Copy the cookies, empty the cart, send the copies."""
    cart.put(visitor, "apple", 3)
    copied = "; ".join(cookie.pair for cookie in own_jar(visitor))
    cart.empty(visitor)
    return yes(table(visitor.get("/display/", headers={"cookie": copied})) == {"apple": 3})


@probe
def copied_cookie(visitor, classmate):
    """Copy the cookies into another browser, and look there."""
    cart.put(visitor, "apple", 3)
    copied = "; ".join(cookie.pair for cookie in own_jar(visitor))
    return yes(table(classmate.get("/display/", headers={"cookie": copied})) == {"apple": 3})


@probe
def second_browser(visitor, classmate):
    """The same person, at another browser."""
    cart.put(visitor, "apple", 3)
    return yes(cart.cart(classmate) == {"apple": 3})


@probe
def cookies_blocked(visitor):
    """Block cookies, then add."""
    visitor.block_cookies()
    cart.add(visitor, "apple", 3)
    return yes(cart.cart(visitor) == {"apple": 3})


# How much fits


@thorough_probe
def how_many_fit(visitor):
    """Add until the lab refuses; what it took must still be there."""
    return filled(visitor, (f"item {number}" for number in count()))


@thorough_probe
def how_many_long_names_fit(visitor):
    """The same with names of 40 Chinese signs at random, which hardly compress."""
    chosen = Random(10)
    names = ("".join(map(chr, chosen.choices(range(0x4E00, 0x9FA5), k=40))) for _ in count())
    return filled(visitor, names)


def filled(visitor, names: Iterator[str]):
    """How many items of these names the cart takes."""
    fields, taken = cart.put(visitor, next(names)), 1
    while (response := visitor.post("/add/", fields | {"name": next(names)})).status_code == 302:
        taken += 1
    assert response.status_code == 422
    assert len(cart.cart(visitor)) == taken
    return f"{taken} items"


# Several at once


@probe
def two_tabs(visitor, classmate, monkeypatch):
    """Two tabs add different items at the same time, to a cart with bread in it."""
    cart.put(visitor, "bread")
    at_once(visitor, classmate, monkeypatch, "apple", "pear")
    return yes(cart.cart(visitor) == {"bread": 1, "apple": 1, "pear": 1})


@probe
def two_tabs_first(visitor, classmate, monkeypatch):
    """The same, with nothing in the cart yet."""
    at_once(visitor, classmate, monkeypatch, "apple", "pear")
    return yes(cart.cart(visitor) == {"apple": 1, "pear": 1})


@probe
def two_tabs_same_item(visitor, classmate, monkeypatch):
    """Two tabs add an apple at the same time; one is there already."""
    cart.put(visitor, "apple")
    at_once(visitor, classmate, monkeypatch, "apple", "apple")
    return yes(cart.cart(visitor) == {"apple": 3})


def at_once(visitor, tab, monkeypatch, first, second):
    """Add in two tabs: all of the second's request falls between the first's reading and writing.

    That they overlap is certain and not left to chance: the second is sent from inside of the
    first, where its view is about to keep what it has read.
    """
    from lab import storage

    tab.jar = visitor.jar
    fields = cart.with_token(visitor, quantity=1)
    keep = storage.put

    def meanwhile(*arguments):
        monkeypatch.setattr(storage, "put", keep)
        assert tab.post("/add/", fields | {"name": second}).status_code == 302
        keep(*arguments)

    monkeypatch.setattr(storage, "put", meanwhile)
    assert visitor.post("/add/", fields | {"name": first}).status_code == 302


@thorough_probe
def two_processes(servers):
    """Add at one process, look at another one; and once more."""
    here, elsewhere = (WireVisitor(server.port) for server in servers.pair())
    return seen_by_a_second(here, elsewhere, cart.put, lambda visitor: list(cart.cart(visitor)))


# What it takes


@thorough_probe
def without_migrate(servers):
    """Add, on a server whose database has no tables."""
    return yes(not servers.needs_migrate(lambda visitor: cart.put(visitor, "apple")))


@probe
def bytes_up(visitor):
    """Ten items are in the cart; look, and count what the cookies came to, the CSRF token apart."""
    for number in range(10):
        cart.put(visitor, f"item {number}")
    visitor.get("/display/")
    return f"{len('; '.join(own_cookies(visitor.exchanges[-1])))} bytes"


@probe
def bytes_down(visitor):
    """Add one more, and count the Set-Cookie headers' values in the answer."""
    fields = cart.put(visitor, "item 1")
    visitor.post("/add/", fields | {"name": "item 2"})
    return f"{sum(map(len, visitor.exchanges[-1].set_cookies))} bytes"


@probe
def queries_to_look(visitor):
    """Look at the cart."""
    cart.put(visitor, "apple")
    return str(queries_in(lambda: cart.cart(visitor)))


@probe
def queries_to_add(visitor):
    """Add to a cart that has something in it."""
    fields = cart.put(visitor, "apple")
    return str(queries_in(lambda: visitor.post("/add/", fields | {"name": "pear"})))


@probe
def queries_of_the_first_add(visitor):
    """Add to a cart that has nothing in it."""
    fields = cart.with_token(visitor, name="apple", quantity=1)
    return str(queries_in(lambda: visitor.post("/add/", fields)))


@probe
def left_behind(visitor, clock):
    """Add and never come back; what lies on the server when the cart has long ended?"""
    cart.put(visitor, "apple")
    clock.forward(days=30)
    return quantities(**stores.count_records())


@probe
def clearsessions_leaves(visitor, clock):
    """The same, and then the command that takes ended sessions away; a lab without any has none."""
    cart.put(visitor, "apple")
    clock.forward(days=30)
    if apps.is_installed("django.contrib.sessions"):
        call_command("clearsessions")
    return quantities(**stores.count_records())


@probe
def forgetting_leaves(visitor):
    """Empty the cart, and see what the browser and the server still hold for it."""
    cart.put(visitor, "apple")
    cart.empty(visitor)
    return quantities(cookie=len(own_jar(visitor)), **stores.count_records())
