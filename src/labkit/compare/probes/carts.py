"""Probes for carts with the pages and fields of labkit.testing.contracts.CartPages."""

from collections.abc import Iterator
from itertools import count
from random import Random

from django.apps import apps
from django.core.management import call_command

from labkit import session_stores
from labkit.compare.probes.base import probe, thorough_probe
from labkit.compare.probes.observations import (
    count_queries,
    decode_cookie,
    forge,
    sent_cookies,
    stored_cookies,
    yes_or_no,
)
from labkit.compare.probes.servers import kill_and_restart, second_process_sees
from labkit.testing.contracts import CartPages, table
from labkit.testing.wire_visitor import WireVisitor
from labkit.text_format import quantities

cart = CartPages()


# Lifetime


@probe
def browser_closed(visitor):
    """Close the browser, open it again, and open the cart."""
    cart.put(visitor, "apple", 3)
    visitor.close_browser()
    return yes_or_no(cart.cart(visitor) == {"apple": 3})


@thorough_probe
def server_restarted(servers):
    """Kill the server, start it again with the same state, and open the cart."""
    server = servers.one()
    visitor = WireVisitor(server.port)
    cart.put(visitor, "apple")
    assert cart.cart(visitor) == {"apple": 1}
    kill_and_restart(server)
    return yes_or_no(cart.cart(visitor) == {"apple": 1})


@probe
def reading_prolongs(visitor, clock):
    """Open the cart every minute. Does it still have its items after two minutes?"""
    cart.put(visitor, "apple", 3)
    clock.forward(seconds=60)
    assert cart.cart(visitor) == {"apple": 3}
    clock.forward(seconds=60)
    return yes_or_no(cart.cart(visitor) == {"apple": 3})


@probe
def adding_prolongs_the_rest(visitor, clock):
    """Add an apple and, 100 seconds later, a pear. Is the apple there after another 100 seconds?"""
    cart.put(visitor, "apple")
    clock.forward(seconds=100)
    cart.put(visitor, "pear")
    clock.forward(seconds=100)
    return yes_or_no("apple" in cart.cart(visitor))


@probe
def server_ends_it(visitor, clock):
    """Send copied cookies 120 seconds after adding an item, when the browser's own have expired."""
    cart.put(visitor, "apple", 3)
    copied = "; ".join(cookie.pair for cookie in stored_cookies(visitor))
    clock.forward(seconds=120)
    assert cart.cart(visitor) == {}
    return yes_or_no(table(visitor.get("/display/", headers={"cookie": copied})) == {})


@probe
def server_can_wipe_it(visitor):
    """Delete everything stored on the server, and open the cart."""
    cart.put(visitor, "apple", 3)
    session_stores.wipe()
    return yes_or_no(cart.cart(visitor) == {})


# Access


@probe
def visitor_can_read(visitor):
    """Look for the item's name in the cookies, both as sent and decoded."""
    cart.put(visitor, "apple", 3)
    return yes_or_no(
        any("apple" in f"{c.pair}{decode_cookie(c.value)}" for c in stored_cookies(visitor))
    )


@probe
def visitor_can_change(visitor):
    """Replace the quantity in every cookie with 999, even if it is signed, and open the cart."""
    cart.put(visitor, "apple", 321)
    for cookie in stored_cookies(visitor):
        visitor.edit_cookie(cookie.name, forge(cookie.value, "321", "999"))
    return yes_or_no(cart.cart(visitor) == {"apple": 999})


@probe
def replay(visitor):
    """Copy the cookies, empty the cart, and send the copied cookies."""
    cart.put(visitor, "apple", 3)
    copied = "; ".join(cookie.pair for cookie in stored_cookies(visitor))
    cart.empty(visitor)
    return yes_or_no(table(visitor.get("/display/", headers={"cookie": copied})) == {"apple": 3})


@probe
def copied_cookie(visitor, classmate):
    """Copy the cookies to another browser, and open the cart there."""
    cart.put(visitor, "apple", 3)
    copied = "; ".join(cookie.pair for cookie in stored_cookies(visitor))
    return yes_or_no(table(classmate.get("/display/", headers={"cookie": copied})) == {"apple": 3})


@probe
def second_browser(visitor, classmate):
    """Open the cart in a second browser of the same person."""
    cart.put(visitor, "apple", 3)
    return yes_or_no(cart.cart(classmate) == {"apple": 3})


@probe
def cookies_blocked(visitor):
    """Block cookies, and add an item."""
    visitor.block_cookies()
    cart.add(visitor, "apple", 3)
    return yes_or_no(cart.cart(visitor) == {"apple": 3})


# Capacity


@thorough_probe
def how_many_fit(visitor):
    """Add items until the lab refuses one, and check that the cart contains all the others."""
    return filled(visitor, (f"item {number}" for number in count()))


@thorough_probe
def how_many_long_names_fit(visitor):
    """Add items with names of 40 random Chinese characters, which hardly compress."""
    chosen = Random(10)
    names = ("".join(map(chr, chosen.choices(range(0x4E00, 0x9FA5), k=40))) for _ in count())
    return filled(visitor, names)


def filled(visitor, names: Iterator[str]):
    """Return how many items with these names fit in the cart."""
    fields, taken = cart.put(visitor, next(names)), 1
    while (response := visitor.post("/add/", fields | {"name": next(names)})).status_code == 302:
        taken += 1
    assert response.status_code == 422
    assert len(cart.cart(visitor)) == taken
    return f"{taken} items"


# Concurrency


@probe
def two_tabs(visitor, classmate, monkeypatch):
    """Add different items in two tabs at the same time, to a cart that contains bread."""
    cart.put(visitor, "bread")
    at_once(visitor, classmate, monkeypatch, "apple", "pear")
    return yes_or_no(cart.cart(visitor) == {"bread": 1, "apple": 1, "pear": 1})


@probe
def two_tabs_first(visitor, classmate, monkeypatch):
    """Add different items in two tabs at the same time, to an empty cart."""
    at_once(visitor, classmate, monkeypatch, "apple", "pear")
    return yes_or_no(cart.cart(visitor) == {"apple": 1, "pear": 1})


@probe
def two_tabs_same_item(visitor, classmate, monkeypatch):
    """Add an apple in two tabs at the same time, to a cart with one apple."""
    cart.put(visitor, "apple")
    at_once(visitor, classmate, monkeypatch, "apple", "apple")
    return yes_or_no(cart.cart(visitor) == {"apple": 3})


def at_once(visitor, tab, monkeypatch, first, second):
    """Add items in two tabs; the second is added between the first request's read and write.

    The requests are certain to overlap, because the first view sends the second request just before
    it stores the cart.
    """
    from lab import storage

    tab.jar = visitor.jar
    fields = cart.with_token(visitor, quantity=1)
    keep = storage.put

    def add_in_second_tab(*arguments):
        monkeypatch.setattr(storage, "put", keep)
        assert tab.post("/add/", fields | {"name": second}).status_code == 302
        keep(*arguments)

    monkeypatch.setattr(storage, "put", add_in_second_tab)
    assert visitor.post("/add/", fields | {"name": first}).status_code == 302


@thorough_probe
def two_processes(servers):
    """Add an item on one server process, open the cart on another one, and repeat."""
    here, elsewhere = (WireVisitor(server.port) for server in servers.pair())
    return second_process_sees(here, elsewhere, cart.put, lambda visitor: list(cart.cart(visitor)))


# Costs


@thorough_probe
def without_migrate(servers):
    """Add an item on a server whose database has no tables."""
    return yes_or_no(not servers.needs_migrate(lambda visitor: cart.put(visitor, "apple")))


@probe
def bytes_up(visitor):
    """Open a cart with ten items, and count the bytes of the cookies without the CSRF token."""
    for number in range(10):
        cart.put(visitor, f"item {number}")
    visitor.get("/display/")
    return f"{len('; '.join(sent_cookies(visitor.exchanges[-1])))} bytes"


@probe
def bytes_down(visitor):
    """Add another item, and count the bytes of the Set-Cookie headers in the response."""
    fields = cart.put(visitor, "item 1")
    visitor.post("/add/", fields | {"name": "item 2"})
    return f"{sum(map(len, visitor.exchanges[-1].set_cookies))} bytes"


@probe
def queries_to_look(visitor):
    """Open the cart."""
    cart.put(visitor, "apple")
    return str(count_queries(lambda: cart.cart(visitor)))


@probe
def queries_to_add(visitor):
    """Add an item to a cart that already contains one."""
    fields = cart.put(visitor, "apple")
    return str(count_queries(lambda: visitor.post("/add/", fields | {"name": "pear"})))


@probe
def queries_of_the_first_add(visitor):
    """Add an item to an empty cart."""
    fields = cart.with_token(visitor, name="apple", quantity=1)
    return str(count_queries(lambda: visitor.post("/add/", fields)))


@probe
def left_behind(visitor, clock):
    """Add an item and never return. What does the server store long after the cart's expiry?"""
    cart.put(visitor, "apple")
    clock.forward(days=30)
    return quantities(**session_stores.count_records())


@probe
def clearsessions_leaves(visitor, clock):
    """Add an item, never return, and run clearsessions if the lab has sessions."""
    cart.put(visitor, "apple")
    clock.forward(days=30)
    if apps.is_installed("django.contrib.sessions"):
        call_command("clearsessions")
    return quantities(**session_stores.count_records())


@probe
def forgetting_leaves(visitor):
    """Empty the cart, and count what the browser and the server still store for it."""
    cart.put(visitor, "apple")
    cart.empty(visitor)
    return quantities(cookie=len(stored_cookies(visitor)), **session_stores.count_records())
