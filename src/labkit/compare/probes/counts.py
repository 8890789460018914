"""Probes for page counts with the page of labkit.testing.contracts.PageCountPages."""

from labkit import session_stores
from labkit.compare.probes.base import probe, thorough_probe
from labkit.compare.probes.observations import (
    count_queries,
    decode_cookie,
    sent_cookies,
    stored_cookies,
    yes_or_no,
)
from labkit.compare.probes.servers import kill_and_restart
from labkit.testing.contracts import PageCountPages, number
from labkit.testing.wire_visitor import WireVisitor
from labkit.text_format import quantities

page = PageCountPages()


# Lifetime


@probe
def browser_closed(visitor):
    """Close the browser and open it again. Is the next visit the second one?"""
    page.count(visitor)
    visitor.close_browser()
    return yes_or_no(page.count(visitor) == 2)


@thorough_probe
def server_restarted(servers):
    """Kill the server and restart it with the same state. Is the next visit the second one?"""
    server = servers.one()
    visitor = WireVisitor(server.port)
    assert page.count(visitor) == 1
    kill_and_restart(server)
    return yes_or_no(page.count(visitor) == 2)


@probe
def five_minutes_later(visitor, clock):
    """Stay away for 300 seconds, with the browser open."""
    page.count(visitor)
    clock.forward(seconds=300)
    return yes_or_no(page.count(visitor) == 2)


@probe
def visiting_prolongs(visitor, clock):
    """Return every four minutes for an hour."""
    for _ in range(15):
        page.count(visitor)
        clock.forward(seconds=240)
    return yes_or_no(page.count(visitor) == 16)


@probe
def server_can_wipe_it(visitor):
    """Delete everything stored on the server. Is the next visit the first one?"""
    page.count(visitor)
    session_stores.wipe()
    return yes_or_no(page.count(visitor) == 1)


# Access


@probe
def visitor_can_read(visitor):
    """Visit 7 times. Do the cookies contain a 7, as sent or decoded?"""
    for _ in range(7):
        page.count(visitor)
    cookies = stored_cookies(visitor)
    return yes_or_no(any(c.value == "7" or 7 in decode_cookie(c.value).values() for c in cookies))


@probe
def visitor_can_change(visitor):
    """Change the value of every cookie to 41. Is the next visit the 42nd?"""
    page.count(visitor)
    for cookie in stored_cookies(visitor):
        visitor.edit_cookie(cookie.name, "41")
    return yes_or_no(page.count(visitor) == 42)


@probe
def replay(visitor):
    """Copy the cookies after three visits, reset the count, and send them. Is it visit four?"""
    for _ in range(3):
        page.count(visitor)
    copied = "; ".join(cookie.pair for cookie in stored_cookies(visitor))
    visitor.submit("/forget/", page="/")
    return yes_or_no(number(visitor.get("/", headers={"cookie": copied})) == 4)


@probe
def second_browser(visitor, classmate):
    """Visit in a second browser of the same person. Is this counted as the second visit?"""
    page.count(visitor)
    return yes_or_no(page.count(classmate) == 2)


@probe
def copied_cookie_shares(visitor, classmate):
    """Copy the cookies to another browser. Do both browsers then share one count?"""
    page.count(visitor)
    for cookie in stored_cookies(visitor):
        classmate.jar.store(f"{cookie.pair}; Path=/", classmate.origin)
    assert page.count(visitor) == 2
    return yes_or_no(page.count(classmate) == 3)


@probe
def cookies_blocked(visitor):
    """Block cookies. Is the second visit counted as the second?"""
    visitor.block_cookies()
    page.count(visitor)
    return yes_or_no(page.count(visitor) == 2)


@probe
def blocked_leaves(visitor):
    """Visit ten times with cookies blocked. What does the server then store?"""
    visitor.block_cookies()
    for _ in range(10):
        page.count(visitor)
    return quantities(**session_stores.count_records())


# Concurrency


@probe
def two_tabs(visitor, classmate, monkeypatch):
    """Open the page in two tabs at the same time. Is the next visit the fourth?

    The requests are certain to overlap, because the first view sends the second request just before
    it renders the page.
    """
    from lab import views

    classmate.jar = visitor.jar
    render = views.render

    def visit_in_second_tab(*arguments):
        monkeypatch.setattr(views, "render", render)
        page.count(classmate)
        return render(*arguments)

    page.count(visitor)
    monkeypatch.setattr(views, "render", visit_in_second_tab)
    page.count(visitor)
    return yes_or_no(page.count(visitor) == 4)


@thorough_probe
def two_processes(servers):
    """Visit two server processes alternately."""
    here, elsewhere = (WireVisitor(server.port) for server in servers.pair())
    elsewhere.jar = here.jar  # both visitors share one cookie jar, since cookies ignore ports
    return yes_or_no([page.count(v) for v in (here, elsewhere, here, elsewhere)] == [1, 2, 3, 4])


# Costs


@thorough_probe
def without_migrate(servers):
    """Visit a server whose database has no tables."""
    return yes_or_no(not servers.needs_migrate(page.count))


@probe
def bytes_up(visitor):
    """Count the bytes of the cookies at the tenth visit, without the CSRF token."""
    for _ in range(10):
        page.count(visitor)
    return f"{len('; '.join(sent_cookies(visitor.exchanges[-1])))} bytes"


@probe
def bytes_down(visitor):
    """Count the bytes of the Set-Cookie headers at the tenth visit, without the CSRF token."""
    for _ in range(10):
        page.count(visitor)
    lines = [x for x in visitor.exchanges[-1].set_cookies if not x.startswith("csrftoken")]
    return f"{sum(map(len, lines))} bytes"


@probe
def queries_of_the_first(visitor):
    """Open the page as a new visitor."""
    return str(count_queries(lambda: page.count(visitor)))


@probe
def queries_of_a_visit(visitor):
    """Visit for the second time."""
    page.count(visitor)
    return str(count_queries(lambda: page.count(visitor)))


@probe
def left_behind(visitor, clock):
    """Visit and never return. What does the server store a month later?"""
    page.count(visitor)
    clock.forward(days=30)
    return quantities(**session_stores.count_records())
