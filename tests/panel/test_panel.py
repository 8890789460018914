"""The exchange panel at a lab on a real server: what it tells, to whom, and what it lets do."""

import json
import re
import shlex
import subprocess
import time

import lxml.html
import pytest

from labkit.panel.log import FOLLOWED_WITHIN, MOST_BYTES, REMEMBERED, Log
from labkit.testing.contracts import text, words
from labkit.testing.contracts.carts import CartPages
from labkit.testing.lab_server import LabServer
from labkit.testing.wire_visitor import WireVisitor

cart = CartPages()


@pytest.fixture(scope="module")
def servers(checkout):
    """Labs on servers of their own, each started when first asked for."""
    running = {}

    def server(number, **environ):
        key = (number, *environ.items())
        if key not in running:
            lab = checkout.find(number)
            running[key] = LabServer(lab.folder, migrate=lab.database, environ=environ)
        return running[key]

    yield server
    for one in running.values():
        one.stop()


@pytest.fixture
def shop(servers):
    return servers("04")


@pytest.fixture
def visitor(shop):
    return WireVisitor(shop.port)


@pytest.fixture
def classmate(shop):
    return WireVisitor(shop.port)


def line(response):
    """The line below a page: what it says, and where it leads."""
    (link,) = lxml.html.document_fromstring(text(response)).xpath("//aside[@class='lab-line']/a")
    return link.text_content(), link.get("href")


def panel(visitor, response):
    """The opened panel of this page."""
    return visitor.get(line(response)[1])


def press(visitor, opened, button, **fields):
    """Press a button of the opened panel; the page that follows."""
    return visitor.press(button, opened, fields)


def table(response, label):
    """One of the panel's tables, as a list of rows of text."""
    html = lxml.html.document_fromstring(text(response))
    rows = html.xpath(f"//div[starts-with(@aria-label, {label!r})]//tbody/tr")
    return [[cell.text_content() for cell in row] for row in rows]


# The line


def test_below_a_page_stands_its_own_exchange_and_the_redirect_before_it(visitor):
    page = cart.add(visitor, "apple", 3)
    assert line(page)[0] == (
        "POST /add/: 302, session created, 1 cookie set → "
        "GET /display/: 200, session read, 1 cookie set"
    )
    assert line(visitor.get("/"))[0] == "GET /: 200, session read"


def test_a_page_tells_of_no_redirect_of_another_visitors(visitor, classmate):
    cart.put(visitor, "apple", 3)  # a redirect that this visitor has not followed yet
    assert line(WireVisitor(visitor.port).get("/display/"))[0] == "GET /display/: 200, session read"
    cart.put(classmate, "pear")
    page = classmate.get("/display/")
    assert line(page)[0].startswith("POST /add/: 302")
    assert "apple" not in words(panel(classmate, page))
    assert line(visitor.get("/display/"))[0].startswith("POST /add/: 302")


@pytest.mark.parametrize("path", ["/display/anything/", "/empty/"])
def test_error_pages_have_the_line_too(visitor, path):
    response = visitor.get(path)
    assert response.status_code in {404, 405}
    assert line(response)[0].startswith(f"GET {path}: {response.status_code}")


def test_what_is_no_page_stays_as_it_is_and_is_noted_all_the_same(visitor):
    assert visitor.head("/").content == b""
    css = visitor.get("/__lab__/static/lab.css")
    assert b"lab-line" not in css.content
    listed = visitor.get("/__lab__/exchanges.json").content
    assert json.loads(listed)["exchanges"][0]["sentence"].startswith("HEAD /: 200")


def test_the_address_of_the_panel_cannot_be_guessed(visitor):
    href = line(visitor.get("/"))[1]
    assert re.fullmatch(r"/__lab__/exchange/[\w-]{24}/", href)
    assert visitor.get("/__lab__/exchange/1/").status_code == 404


def test_with_the_switch_off_there_is_no_panel_at_all(servers):
    visitor = WireVisitor(servers("04", LAB_PANEL="0").port)
    page = cart.add(visitor, "apple")
    assert "lab-line" not in text(page)
    assert visitor.get("/__lab__/").status_code == 404


# The five parts


def test_it_shows_what_was_sent_and_whose_it_is(visitor):
    cart.put(visitor, "apple", 3)
    for cookie in ("cart_03_apple=3", "other=x"):
        visitor.jar.store(f"{cookie}; Path=/", visitor.origin)
    opened = panel(visitor, visitor.get("/display/"))
    whose = {row[0]: row[3] for row in table(opened, "Cookies sent")}
    assert whose == {
        "csrftoken_04": "Django's, against forged forms",
        "sessionid_04": "this lab's session key",
        "cart_03_apple": "lab 03's: cookies ignore ports",
        "other": "not this lab's",
    }


def test_it_shows_the_session_before_and_after_and_who_touched_it(visitor):
    cart.put(visitor, "apple", 3)
    page = cart.add(visitor, "pear", 1)
    opened = panel(visitor, page)
    before_and_after = table(opened, "The session before and after")
    assert before_and_after[0] == ["cart", "{'apple': 3}", "{'apple': 3, 'pear': 1}", "changed"]
    said = words(opened)
    assert "Saved, since it was changed: session.modified is True." in said
    assert re.search(r"wrote: lab/storage.py:\d+", said)
    assert "Not saved: it was read, and session.modified is False." in said
    assert "labkit" not in "".join(re.findall(r"(?:read|wrote): (\S+)", said))


def test_it_shows_what_is_in_the_store_now(visitor):
    began = time.monotonic()
    cart.put(visitor, "apple", 3)
    said = words(panel(visitor, visitor.get("/display/")))
    key = visitor.jar.get("sessionid_04").value
    assert f"Row in django_session{key}" in said
    assert "Decoded{'cart': {'apple': 3}, '_session_expiry': 120}" in said
    left = int(re.search(r"(\d+) of 120 seconds left", said)[1])
    assert 119 - (time.monotonic() - began) <= left <= 120  # the clock is a real one


def test_it_tells_each_attribute_of_a_cookie_in_words(visitor):
    said = words(panel(visitor, cart.add(visitor, "apple", 3)))
    for sentence in (
        "Sets sessionid_04, this lab's session key; 44 bytes",
        "the browser keeps it for 2 minutes",
        "no script sees it",
        "from another site it comes along with a link, and with no form or picture",
        "sent to this very host, on every port",
    ):
        assert sentence in said


def test_it_draws_the_exchange_and_says_the_same_as_text(visitor):
    opened = panel(visitor, cart.add(visitor, "apple", 3))
    html = lxml.html.document_fromstring(text(opened))
    drawn = [t.text_content() for t in html.xpath("//*[name()='svg']//*[name()='text']")]
    told = [item.text_content() for item in html.xpath("//ol/li")]
    assert drawn[:3] == ["Browser", "Server", "Store"]
    assert "302 to /display/" in drawn
    assert told[0] == "Browser to server: POST /add/ (Cookie: csrftoken_04)"
    assert told[1].startswith("Server to store: create ")
    assert told[2] == "Server to browser: 302 to /display/ (Set-Cookie: sessionid_04)"


def test_a_change_inside_of_an_entry_is_told_as_not_saved(servers):
    visitor = WireVisitor(servers("08").port)
    visitor.submit("/api/", {"operation": "put_cart"})
    page = visitor.submit("/api/", {"operation": "change_inside"})
    assert "session changed but NOT saved" in line(page)[0]
    opened = panel(visitor, page)
    assert "changed but NOT saved: session.modified is False" in words(opened)
    assert ["cart", "{'tea': 1}", "{'tea': 2}", "changed"] in table(
        opened, "The session before and after"
    )


def test_a_lab_without_sessions_says_where_its_state_is(servers):
    visitor = WireVisitor(servers("03").port)
    page = cart.add(visitor, "apple", 3)
    assert line(page)[0] == "POST /add/: 302, 1 cookie set → GET /display/: 200, 1 cookie set"
    said = words(panel(visitor, page))
    assert "It has no sessions" in said
    assert "Sets cart_03_apple, this lab's own" in said


def test_a_session_of_the_views_own_is_told_apart(servers):
    visitor = WireVisitor(servers("05").port)
    page = visitor.submit("/url/name/", {"name": "Anu"})
    said = words(panel(visitor, page))
    assert "(a session of the view's own)" in said
    assert line(page)[0].startswith("POST /url/name/: 302, session untouched → ")


@pytest.mark.parametrize("engine", ["cached_db", "cache", "file", "signed_cookies"])
def test_every_engine_can_be_looked_into(servers, engine):
    environ = {"SESSION_ENGINE": f"django.contrib.sessions.backends.{engine}"}
    visitor = WireVisitor(servers("06", **environ).port)
    visitor.get("/")
    opened = panel(visitor, visitor.get("/"))
    assert ["count", "1", "2", "changed"] in table(opened, "The session before and after")
    assert "'count': 2" in words(opened)


BARE = {
    "method": "GET",
    "path": "/",
    "peer": "127.0.0.1",
    "agent": "",
    "host": "127.0.0.1:8004",
    "scheme": "http",
    "cookie_header": "",
}


def test_a_cookie_that_browsers_refuse_is_told_as_refused():
    from labkit.panel import cookies
    from labkit.panel.log import log

    exchange = log.begin(**BARE)
    exchange.set_cookies = [
        "a=" + "x" * 4096 + "; Path=/",
        "__Host-b=1; Path=/x",
        "c=1; Domain=d.example",
    ]
    assert [bool(cookie.refusal) for cookie in cookies.response_cookies(exchange)] == [
        True,
        True,
        True,
    ]
    assert "longer than 4096 bytes" in cookies.response_cookies(exchange)[0].refusal


def test_a_deleted_cookie_is_told_as_deleted_whatever_its_max_age_below_zero(visitor):
    from labkit.panel import cookies
    from labkit.panel.log import log

    exchange = log.begin(**BARE | {"cookie_header": "a=1; b=2"})
    exchange.set_cookies = ["a=; Max-Age=0; Path=/", "b=x; Max-Age=-100; Path=/"]
    assert [cookie.is_deletion for cookie in cookies.response_cookies(exchange)] == [True, True]
    assert exchange.cookies_after() == {}


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("cart_03_box_04", True),
        ("cart_04_box_03", False),
        ("count_03", True),
        ("csrftoken_04", False),
        ("count", False),
    ],
)
def test_whose_a_cookie_is_the_first_number_in_its_name_says(name, own):
    from labkit.panel import cookies

    assert cookies.cookie_owner(name).is_this_lab == own  # the kit's own tests stand in for lab 03


# What is said of sessions


def api(servers, *operations):
    """Press these buttons of lab 08, and open the panel of the last answer."""
    visitor = WireVisitor(servers("08").port)
    for operation in operations:
        page = visitor.submit("/api/", {"operation": operation})
    return line(page)[0], words(panel(visitor, page))


def test_emptying_what_is_empty_loses_nothing(servers):
    short, said = api(servers, "flush")
    assert "NOT saved" not in short
    assert "Not saved, since it is empty" in said


def test_a_new_key_is_no_end_of_the_session(servers):
    short, said = api(servers, "assign", "cycle_key")
    assert "session created" in short or "session saved" in short
    assert "flush() and a logout" not in said


def test_an_end_of_the_session_is_told_as_one(servers):
    short, said = api(servers, "assign", "flush")
    assert "session deleted" in short
    assert "Deleted, as flush() and a logout do" in said


def test_a_page_that_does_not_look_says_so_and_the_row_is_still_shown(visitor):
    cart.put(visitor, "apple", 3)
    page = visitor.get("/nowhere/")
    assert line(page)[0] == "GET /nowhere/: 404, session untouched"
    said = words(panel(visitor, page))
    assert "It was not even loaded." in said
    assert "Decoded{'cart': {'apple': 3}" in said


def test_a_session_deleted_meanwhile_is_no_fault_of_the_store():
    from labkit.panel import summary_bar as lines
    from labkit.panel.log import log
    from labkit.panel.models import StoreOperation, take_snapshot
    from labkit.panel.outcome import Outcome

    exchange = log.begin(**BARE)
    exchange.engine, exchange.store_id, exchange.status = "x.db", 1, 400
    exchange.operations = [
        StoreOperation("load", 1, "k", take_snapshot({"a": 1})),
        StoreOperation("save", 1, "k", error="UpdateError: "),
    ]
    assert lines.summarize_session(Outcome(exchange)) == "session NOT saved, deleted meanwhile"
    exchange.operations = [StoreOperation("load", 1, "k", error="OperationalError: no such table")]
    assert lines.summarize_session(Outcome(exchange)) == "session NOT read, the store failed"


# Who sees what


def test_markup_is_shown_and_not_obeyed(visitor):
    evil = "<script>alert(7)</script>"
    page = cart.add(visitor, evil, 3)
    visitor.jar.store("x=<script>alert(7)</script>; Path=/", visitor.origin)
    for response in (page, visitor.get(f"/display/?x={evil}"), panel(visitor, page)):
        assert evil not in text(response)
    assert evil not in text(panel(visitor, visitor.get("/display/")))


def test_a_password_is_not_remembered(servers):
    visitor = WireVisitor(servers("11").port)
    visitor.submit("/login/", {"username": "ada", "password": "wrong-secret"})
    page = visitor.submit("/login/", {"username": "ada", "password": "lovelace"})
    assert "password" in words(panel(visitor, page))
    for exchange in json.loads(visitor.get("/__lab__/exchanges.json").content)["exchanges"]:
        assert "secret" not in text(visitor.get(exchange["url"]))


STRANGERS = [
    {"host": "192.168.1.5:8004"},
    {"x-forwarded-for": "127.0.0.1"},
    {"forwarded": "for=127.0.0.1"},
    {"via": "1.1 proxy"},
    {"host": "127.0.0.1.evil.example"},
]


@pytest.mark.parametrize("headers", STRANGERS, ids=str)
def test_a_stranger_sees_an_exchange_but_no_controls_and_no_list(servers, headers):
    server = servers("04", LAB_HOSTS="*")
    visitor = WireVisitor(server.port)
    page = cart.add(visitor, "apple", 3)
    opened = visitor.get(line(page)[1], headers=headers)
    assert opened.status_code == 200
    assert "For the instructor" not in text(opened)
    assert "curl -i" not in words(opened)  # a key may have "curl" in it
    assert visitor.get("/__lab__/", headers=headers).status_code == 404
    assert visitor.get("/__lab__/exchanges.json", headers=headers).status_code == 404
    key = re.search(r'name="key" value="([^"]+)"', text(visitor.get(line(page)[1])))[1]
    refused = visitor.post(f"{line(page)[1]}reset/", {"key": key}, headers=headers)
    assert refused.status_code == 403
    assert cart.cart(visitor) == {"apple": 3}


def test_another_site_cannot_use_the_controls(visitor):
    page = cart.add(visitor, "apple", 3)
    opened = panel(visitor, page)
    key = re.search(r'name="key" value="([^"]+)"', text(opened))[1]
    address = f"{line(page)[1]}reset/"
    assert visitor.post(address).status_code == 403
    assert visitor.post(address, {"key": "x" * 32}).status_code == 403
    with visitor.coming_from("http://evil.example/"):
        assert visitor.post(address, {"key": key}).status_code == 403
    assert visitor.get(address).status_code == 405
    assert cart.cart(visitor) == {"apple": 3}


# What the instructor may do


def test_the_servers_clock_moves_and_the_browsers_does_not(visitor):
    opened = panel(visitor, cart.add(visitor, "apple", 3))
    try:
        opened = press(visitor, opened, "+1 minute")
        assert "The server's clock moved by +1 minute." in words(opened)
        assert line(visitor.get("/"))[0].startswith("The server's clock has been moved. GET /")
        assert cart.cart(visitor) == {"apple": 3}
        opened = press(visitor, opened, "+1 minute")
        assert visitor.jar.get("sessionid_04") is not None  # the browser keeps and sends it
        page = visitor.get("/display/")
        assert "no items" in words(page)
        assert "a session key that opens nothing" in words(page)
    finally:
        opened = press(visitor, opened, "Back to now")
    assert "back at the real time" in words(opened)
    assert line(visitor.get("/"))[0].startswith("GET /")


def test_reset_empties_what_the_lab_keeps_and_leaves_other_labs_cookies(visitor, classmate):
    cart.put(classmate, "pear")
    opened = panel(visitor, cart.add(visitor, "apple", 3))
    visitor.jar.store("cart_03_apple=3; Path=/", visitor.origin)
    page = press(visitor, opened, "Reset this lab")
    assert "Your cart is empty" in words(page)
    assert [cookie.name for cookie in visitor.jar] == ["cart_03_apple"]
    assert cart.cart(classmate) == {}


def test_a_cookie_can_be_tampered_with(visitor):
    opened = panel(visitor, cart.add(visitor, "apple", 3))
    opened = press(visitor, opened, "Change it", cookie="sessionid_04", value="x" * 32)
    assert "The cookie sessionid_04 is now" in words(opened)
    assert "a session key that opens nothing" in words(visitor.get("/display/"))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"cookie": "other", "value": "x"}, "no cookie of this lab"),
        ({"cookie": "sessionid_04", "value": "a;b"}, "no spaces, quotes"),
        ({"cookie": "sessionid_04", "value": "x" * 4096}, "at most 4096 bytes"),
    ],
)
def test_what_cannot_be_a_cookie_is_refused(visitor, fields, why):
    opened = panel(visitor, cart.add(visitor, "apple", 3))
    refused = press(visitor, opened, "Change it", **fields)
    assert refused.status_code == 403
    assert why in words(refused)
    assert cart.cart(visitor) == {"apple": 3}


def test_an_entry_of_the_session_can_be_tampered_with(visitor):
    opened = panel(visitor, cart.add(visitor, "apple", 3))
    address = f"{line(visitor.get('/'))[1]}entry/"
    key = re.search(r'name="key" value="([^"]+)"', text(opened))[1]
    said = visitor.post(
        address, {"key": key, "entry": "cart", "value": '{"apple": 99}'}, follow=True
    )
    assert "The entry cart is now {'apple': 99}" in words(said)
    assert cart.cart(visitor) == {"apple": 99}
    refused = visitor.post(address, {"key": key, "entry": "cart", "value": "nonsense"})
    assert refused.status_code == 403
    visitor.post(address, {"key": key, "entry": "cart", "delete": ""})
    assert cart.cart(visitor) == {}


def test_a_lab_without_sessions_has_no_entry_to_change(servers):
    visitor = WireVisitor(servers("03").port)
    opened = panel(visitor, cart.add(visitor, "apple", 3))
    assert "Change an entry" not in words(opened)
    key = re.search(r'name="key" value="([^"]+)"', text(opened))[1]
    address = f"{line(visitor.get('/'))[1]}entry/"
    assert visitor.post(address, {"key": key, "entry": "cart", "value": "5"}).status_code == 404


def test_the_curl_line_asks_for_the_same_page(visitor):
    opened = panel(visitor, cart.add(visitor, "apple", 3))
    command = lxml.html.document_fromstring(text(opened)).findtext(".//pre/code")
    arguments = shlex.split(command)
    assert arguments[0] == "curl"
    answer = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=20)
    assert "apple" in answer.stdout


def test_what_is_remembered_is_bounded_in_number_and_in_size():
    log = Log()
    first = log.begin(**BARE)
    for exchange in (first, *(log.begin(**BARE) for _ in range(REMEMBERED))):
        log.add(exchange)
    assert log.find(first.token) is None
    assert len(log.newest()) == REMEMBERED
    large = log.begin(**BARE | {"cookie_header": "x" * MOST_BYTES})
    log.add(large)
    assert log.newest() == [large]
    log.clear()
    assert log.newest() == []


def test_a_redirect_that_nobody_followed_within_a_minute_is_told_of_no_more():
    log = Log()
    browser = {"peer": "127.0.0.1", "agent": "", "host": "127.0.0.1", "scheme": "http"}

    def exchange(path, seconds, location=""):
        noted = log.begin(method="GET", path=path, cookie_header="", **browser)
        noted.monotonic, noted.location = seconds, location
        log.add(noted)
        return noted

    exchange("/add", 0, "/add/")
    assert exchange("/add/", FOLLOWED_WITHIN).redirect is None
    redirect = exchange("/add", 100, "/add/")
    assert exchange("/add/", 99 + FOLLOWED_WITHIN).redirect is redirect


def test_forty_redirects_at_once_all_find_their_pages(shop):
    visitors = [WireVisitor(shop.port) for _ in range(40)]
    for number, one in enumerate(visitors):
        cart.put(one, f"item {number}")
    for one in visitors:
        assert line(one.get("/display/"))[0].startswith("POST /add/: 302, session created")


def test_an_exchange_that_has_been_forgotten_says_so(visitor):
    page = cart.add(visitor, "apple", 3)
    press(visitor, panel(visitor, page), "Reset this lab")
    forgotten = visitor.get(line(page)[1])
    assert forgotten.status_code == 404
    assert "has been forgotten" in words(forgotten)


def test_the_panel_sets_no_cookie(visitor):
    page = cart.add(visitor, "apple", 3)
    for address in (line(page)[1], "/__lab__/", "/__lab__/exchanges.json"):
        visitor.get(address)
        assert visitor.exchanges[-1].set_cookies == []
