"""The questions about a page count; the page as in labs 02 and 06."""

from labkit import stores
from labkit.compare.probes.base import probe, thorough_probe
from labkit.compare.probes.observations import (
    opened,
    own_cookies,
    own_jar,
    queries_in,
    yes,
)
from labkit.compare.probes.servers import restarted
from labkit.testing.contracts import PageCountPages, number
from labkit.testing.wire_visitor import WireVisitor
from labkit.text import quantities

page = PageCountPages()


# How long it lives


@probe
def browser_closed(visitor):
    """Close the browser, open it again; is the next visit the second one?"""
    page.count(visitor)
    visitor.close_browser()
    return yes(page.count(visitor) == 2)


@thorough_probe
def server_restarted(servers):
    """Kill the server, start it again on the same state; is the next visit the second one?"""
    server = servers.one()
    visitor = WireVisitor(server.port)
    assert page.count(visitor) == 1
    restarted(server)
    return yes(page.count(visitor) == 2)


@probe
def five_minutes_later(visitor, clock):
    """Stay away for 300 seconds, the browser open."""
    page.count(visitor)
    clock.forward(seconds=300)
    return yes(page.count(visitor) == 2)


@probe
def visiting_prolongs(visitor, clock):
    """Come back every four minutes, for an hour."""
    for _ in range(15):
        page.count(visitor)
        clock.forward(seconds=240)
    return yes(page.count(visitor) == 16)


@probe
def server_can_wipe_it(visitor):
    """Take away all that lies on the server; is the next visit the first one?"""
    page.count(visitor)
    stores.wipe()
    return yes(page.count(visitor) == 1)


# Whose hands it is in


@probe
def visitor_can_read(visitor):
    """After 7 visits: is there a 7 in the cookies, as they are or decoded?"""
    for _ in range(7):
        page.count(visitor)
    cookies = own_jar(visitor)
    return yes(any(c.value == "7" or 7 in opened(c.value).values() for c in cookies))


@probe
def visitor_can_change(visitor):
    """Write 41 into the cookies; is the next visit the 42nd?"""
    page.count(visitor)
    for cookie in own_jar(visitor):
        visitor.edit_cookie(cookie.name, "41")
    return yes(page.count(visitor) == 42)


@probe
def replay(visitor):
    """Copy the cookies after three visits, begin anew, send the copies: is it the fourth visit?"""
    for _ in range(3):
        page.count(visitor)
    copied = "; ".join(cookie.pair for cookie in own_jar(visitor))
    visitor.submit("/forget/", page="/")
    return yes(number(visitor.get("/", headers={"cookie": copied})) == 4)


@probe
def second_browser(visitor, classmate):
    """The same person, at another browser: is it the second visit?"""
    page.count(visitor)
    return yes(page.count(classmate) == 2)


@probe
def copied_cookie_shares(visitor, classmate):
    """Copy the cookies into another browser; do the two then count on one number?"""
    page.count(visitor)
    for cookie in own_jar(visitor):
        classmate.jar.store(f"{cookie.pair}; Path=/", classmate.origin)
    assert page.count(visitor) == 2
    return yes(page.count(classmate) == 3)


@probe
def cookies_blocked(visitor):
    """Block cookies; is the second visit counted as one?"""
    visitor.block_cookies()
    page.count(visitor)
    return yes(page.count(visitor) == 2)


@probe
def blocked_leaves(visitor):
    """Visit ten times with cookies blocked; what lies on the server then?"""
    visitor.block_cookies()
    for _ in range(10):
        page.count(visitor)
    return quantities(**stores.count_records())


# Several at once


@probe
def two_tabs(visitor, classmate, monkeypatch):
    """Two tabs open the page at the same time; is the next visit the fourth?

    All of the second's request falls between the first's reading and writing, for certain: it is
    sent from inside of the first, where its view draws the page.
    """
    from lab import views

    classmate.jar = visitor.jar
    render = views.render

    def meanwhile(*arguments):
        monkeypatch.setattr(views, "render", render)
        page.count(classmate)
        return render(*arguments)

    page.count(visitor)
    monkeypatch.setattr(views, "render", meanwhile)
    page.count(visitor)
    return yes(page.count(visitor) == 4)


@thorough_probe
def two_processes(servers):
    """Visit one process, then another one, in turns."""
    here, elsewhere = (WireVisitor(server.port) for server in servers.pair())
    elsewhere.jar = here.jar  # one browser: cookies ignore ports
    return yes([page.count(v) for v in (here, elsewhere, here, elsewhere)] == [1, 2, 3, 4])


# What it takes


@thorough_probe
def without_migrate(servers):
    """Visit the page of a server whose database has no tables."""
    return yes(not servers.needs_migrate(page.count))


@probe
def bytes_up(visitor):
    """What the cookies come to at a tenth visit, the CSRF token apart."""
    for _ in range(10):
        page.count(visitor)
    return f"{len('; '.join(own_cookies(visitor.exchanges[-1])))} bytes"


@probe
def bytes_down(visitor):
    """The Set-Cookie headers' values at a tenth visit, the CSRF token apart."""
    for _ in range(10):
        page.count(visitor)
    lines = [x for x in visitor.exchanges[-1].set_cookies if not x.startswith("csrftoken")]
    return f"{sum(map(len, lines))} bytes"


@probe
def queries_of_the_first(visitor):
    """A first visit."""
    return str(queries_in(lambda: page.count(visitor)))


@probe
def queries_of_a_visit(visitor):
    """A second visit."""
    page.count(visitor)
    return str(queries_in(lambda: page.count(visitor)))


@probe
def left_behind(visitor, clock):
    """Visit and never come back; what lies on the server a month later?"""
    page.count(visitor)
    clock.forward(days=30)
    return quantities(**stores.count_records())
