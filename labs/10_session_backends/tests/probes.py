"""Probes of session engines. Each probe uses a cart that the engine stores."""

from labkit.compare.probes import carts
from labkit.compare.probes.base import probe, thorough_probe

browser_closed = carts.browser_closed
server_restarted = carts.server_restarted
server_ends_it = carts.server_ends_it
server_can_wipe_it = carts.server_can_wipe_it
visitor_can_read = carts.visitor_can_read
visitor_can_change = carts.visitor_can_change
replay = carts.replay
copied_cookie = carts.copied_cookie
how_many_fit = carts.how_many_fit
two_tabs = carts.two_tabs
two_processes = carts.two_processes
without_migrate = carts.without_migrate
queries_to_look = carts.queries_to_look
queries_of_the_first_add = carts.queries_of_the_first_add
queries_to_add = carts.queries_to_add
forgetting_leaves = carts.forgetting_leaves
left_behind = carts.left_behind
clearsessions_leaves = carts.clearsessions_leaves


# How well a signed cookie compresses depends on the zlib of the machine, so sizes are rounded.


@thorough_probe
def how_many_long_names_fit(visitor):
    """Add names of 40 random Chinese characters until the lab refuses one; round up to tens."""
    taken = carts.how_many_long_names_fit.observe(visitor)
    number = int(taken.split()[0])
    return taken if number == 200 else f"under {-(-number // 10) * 10} items"


@probe
def bytes_up(visitor):
    """Return the cookie's size in bytes for a cart of ten items, rounded up to a multiple of 50."""
    return in_steps(carts.bytes_up.observe(visitor))


@probe
def bytes_down(visitor):
    """Add another item, and count the bytes of the Set-Cookie header, rounded up to 50."""
    return in_steps(carts.bytes_down.observe(visitor))


def in_steps(size):
    """Round up to the next multiple of 50 bytes."""
    return f"under {int(size.split(maxsplit=1)[0]) // 50 * 50 + 50} bytes"
