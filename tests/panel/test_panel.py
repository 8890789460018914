"""Test the exchange panel of a lab on a real server: its content, access and controls."""

import http.client
import json
import re
import shlex
import subprocess
import time

import lxml.html
import pytest
from elements import texts

from labkit.panel import cookie_explanations, diagram
from labkit.panel.exchange_log import FOLLOWED_WITHIN, MOST_BYTES, REMEMBERED, Log, log
from labkit.panel.exchange_words import SEPARATOR
from labkit.panel.middleware import LONGEST_HOST
from labkit.panel.models import StoreOperation
from labkit.testing.contracts import text
from labkit.testing.contracts.carts import CartPages
from labkit.testing.lab_server import LabServer
from labkit.testing.wire_visitor import WireVisitor

cart = CartPages()


@pytest.fixture(scope="module")
def servers(checkout):
    """Return a function that starts a lab on a server when a test first needs it."""
    running = {}

    def server(number, migrate=True, kind="runserver", **environ):
        key = (number, kind, *environ.items())
        if key not in running:
            lab = checkout.find(number)
            migrate = migrate and lab.database
            running[key] = LabServer(lab.folder, migrate=migrate, server=kind, environ=environ)
        return running[key]

    yield server
    for one in running.values():
        one.stop()


@pytest.fixture
def shop(servers):
    return servers("04", LAB_HOSTS="*")  # tests also request the lab at other host names


@pytest.fixture
def visitor(shop):
    return WireVisitor(shop.port)


@pytest.fixture
def classmate(shop):
    return WireVisitor(shop.port)


def document(response):
    return lxml.html.document_fromstring(text(response))


def summary_bar(response):
    (bar,) = document(response).find_class("summary-bar")
    return bar


def summary(response):
    """Return (request, status, session, cookies) for each exchange in the summary bar."""
    names = ("data-request", "data-status", "data-session", "data-set-cookies")
    found = summary_bar(response).xpath(".//*[@data-request]")
    return [tuple(map(each.get, names)) for each in found]


def panel_url(response):
    return summary_bar(response).find("a").get("href")


def panel(visitor, response):
    """Open the panel of this page."""
    return visitor.get(panel_url(response))


def use_control(visitor, opened, control, **fields):
    """Submit one of the forms in an opened panel; return the next page."""
    return visitor.submit(f"{opened.request['PATH_INFO']}{control}/", fields, opened)


def key_of(opened):
    """Return the key that the forms in an opened panel send."""
    return document(opened).xpath("//input[@name='key']/@value")[0]


def data(opened, name):
    """Return the values of this data attribute in an opened panel, in order."""
    return document(opened).xpath(f"//main//@data-{name}")


def data_text(opened, name):
    """Return the text of each element with this data attribute."""
    return [each.text_content() for each in document(opened).xpath(f"//main//*[@data-{name}]")]


def table(opened, name):
    """Return the rows of one of the panel's tables, as lists of text."""
    rows = document(opened).xpath(f"//div[@data-table='{name}']//tbody/tr")
    return [[cell.text_content() for cell in row] for row in rows]


def set_cookie(opened, name):
    """Return the part of an opened panel that explains this cookie of the response."""
    return document(opened).xpath(f"//*[@data-cookie='{name}']")[-1]


# The summary bar


def test_the_picture_of_the_panel_shows_its_labels(visitor, checkout):
    """If this fails, take the screenshot again with `python docs/screenshots.py`."""
    recorded = (checkout.root / "docs/images/panel.txt").read_text("utf-8").splitlines()
    cart_page = visitor.submit("/add/", {"name": "red apple", "quantity": 3})
    navigation = texts(text(cart_page), "//nav[@aria-label='Pages of this lab']//a")
    assert navigation + texts(text(visitor.get(panel_url(cart_page))), "//main//h2") == recorded


def test_the_bar_has_the_exchange_after_its_redirect(visitor):
    page = cart.add(visitor, "apple", 3)
    assert summary(page) == [
        ("POST /add/", "302", "created", "sessionid_04"),
        ("GET /display/", "200", "read", "csrftoken_04"),
    ]
    assert summary(visitor.get("/")) == [("GET /", "200", "read", "")]


def test_the_bar_says_all_of_it_in_words(visitor):
    page = cart.add(visitor, "apple", 3)
    sentence = summary_bar(page).text_content()
    for request, status, *_ in summary(page):
        assert f"{request}{SEPARATOR}{status}{SEPARATOR}" in sentence


def test_the_bar_names_a_deleted_cookie_as_deleted(visitor):
    visitor.jar.store("sessionid_04=" + "x" * 32 + "; Path=/", visitor.origin)
    (row,) = summary_bar(visitor.get("/")).xpath(".//*[@data-request]")
    assert row.get("data-deleted-cookies") == "sessionid_04"
    assert "sessionid_04" not in row.get("data-set-cookies")
    assert "sessionid_04" in row.text_content()


def words(response):
    """Return the text of each exchange in the bar."""
    return [each.text_content() for each in summary_bar(response).xpath(".//*[@data-request]")]


def test_the_bar_leaves_the_csrf_cookie_out(visitor):
    page = cart.add(visitor, "apple", 3)
    assert "csrftoken_04" in summary(page)[1][3]
    assert "csrftoken_04" not in "".join(words(page))
    assert "sessionid_04" in words(page)[0]


def test_a_first_login_creates_a_session(servers):
    visitor = WireVisitor(servers("11").port)
    page = visitor.submit("/login/", {"username": "ada", "password": "lovelace"})
    assert summary(page)[0][:3] == ("POST /login/", "302", "created")


def key_fate(response):
    return summary_bar(response).xpath(".//@data-key-fate")[-1]


@pytest.mark.parametrize(
    ("key", "fate"), [("abc", "too-short"), ("x" * 32, "unknown"), ("", "")], ids=str
)
def test_the_bar_tells_keys_that_match_nothing_apart(visitor, key, fate):
    if key:
        visitor.jar.store(f"sessionid_04={key}; Path=/", visitor.origin)
    assert key_fate(visitor.get("/display/")) == fate


def test_the_bar_knows_a_deleted_session(servers):
    visitor = WireVisitor(servers("08").port)
    visitor.submit("/api/", {"operation": "assign"})
    old = visitor.jar.get("sessionid_08").value
    visitor.submit("/api/", {"operation": "flush"})
    visitor.jar.store(f"sessionid_08={old}; Path=/", visitor.origin)
    assert key_fate(visitor.get("/student/get/")) == "deleted"


def test_a_redirect_of_another_visitor_is_not_shown(visitor, classmate):
    cart.put(visitor, "quince", 3)  # this visitor has not followed this redirect yet
    other = WireVisitor(visitor.port).get("/display/")
    assert [request for request, *_ in summary(other)] == ["GET /display/"]
    cart.put(classmate, "pear")
    page = classmate.get("/display/")
    assert summary(page)[0][:2] == ("POST /add/", "302")
    assert "quince" not in text(panel(classmate, page))
    assert summary(visitor.get("/display/"))[0][:2] == ("POST /add/", "302")


@pytest.mark.parametrize("path", ["/display/anything/", "/empty/"])
def test_error_pages_have_the_bar_too(visitor, path):
    response = visitor.get(path)
    assert response.status_code in {404, 405}
    assert summary(response)[0][:2] == (f"GET {path}", str(response.status_code))


def test_other_responses_stay_unchanged_but_are_logged(visitor):
    assert visitor.head("/").content == b""
    css = visitor.get("/__lab__/static/lab.css")
    assert b"summary-bar" not in css.content
    listed = json.loads(visitor.get("/__lab__/exchanges.json").content)["exchanges"][0]
    assert (listed["method"], listed["path"], listed["status"]) == ("HEAD", "/", 200)
    assert listed["sentence"].startswith(f"HEAD /{SEPARATOR}200")


def test_the_url_of_a_panel_cannot_be_guessed(visitor):
    href = panel_url(visitor.get("/"))
    assert re.fullmatch(r"/__lab__/exchange/[0-9a-f]{32}/", href)
    assert visitor.get("/__lab__/exchange/1/").status_code == 404


def test_lab_panel_0_turns_the_panel_off(servers):
    visitor = WireVisitor(servers("03", LAB_PANEL="0").port)
    page = cart.add(visitor, "apple")
    assert "summary-bar" not in text(page)
    assert visitor.get("/__lab__/").status_code == 404


# The five parts


def test_sent_cookies_are_shown_with_their_owners(visitor):
    cart.put(visitor, "apple", 3)
    for cookie in ("cart_03_apple=3", "other=x"):
        visitor.jar.store(f"{cookie}; Path=/", visitor.origin)
    opened = panel(visitor, visitor.get("/display/"))
    names = [row[0] for row in table(opened, "cookies")]
    owners = document(opened).xpath("//div[@data-table='cookies']//@data-owner")
    assert dict(zip(names[-4:], owners[-4:], strict=True)) == {
        "csrftoken_04": "csrf",
        "sessionid_04": "session",
        "cart_03_apple": "other-lab",
        "other": "unknown",
    }


def test_the_session_is_shown_before_and_after_with_its_accesses(visitor):
    cart.put(visitor, "apple", 3)
    opened = panel(visitor, cart.add(visitor, "pear", 1))
    assert table(opened, "session")[0][:3] == [
        "cart",
        "{'apple': 3}",
        "{'apple': 3, 'pear': 1}",
    ]
    assert data(opened, "change")[0] == "changed"
    assert data(opened, "session") == ["saved", "read"]
    assert data(opened, "cause") == ["modified", ""]
    accesses = document(opened).xpath("//li[@data-access]")
    places = [(access.get("data-access"), access.findtext("code")) for access in accesses]
    assert any(
        kind == "write" and re.fullmatch(r"lab/storage.py:\d+", place) for kind, place in places
    )
    assert not any("labkit" in place for _, place in places)


@pytest.mark.parametrize("kind", ["runserver", "worker"])
def test_a_kept_connection_is_shown_and_identifies_nobody(servers, kind):
    lab = servers("04", kind=kind)
    visitor = WireVisitor(lab.port)
    cart.put(visitor, "apple", 3)
    key = visitor.jar.get("sessionid_04").value
    connection = http.client.HTTPConnection("127.0.0.1", lab.port, timeout=20)
    found = []
    for cookies in ({"Cookie": f"sessionid_04={key}"}, {}):
        connection.request("GET", "/display/", headers=cookies)
        page = lxml.html.document_fromstring(connection.getresponse().read())
        opened = visitor.get(page.find_class("summary-row")[0].get("href"))
        sent = [row[0] for row in table(opened, "cookies")]
        found.append((data(opened, "connection")[-1], data(opened, "request-number")[-1], sent))
    connection.close()
    assert found == [("new", "1", ["sessionid_04"]), ("kept", "2", [])]


def test_the_stored_session_is_shown_as_it_is_now(visitor):
    began = time.monotonic()
    cart.put(visitor, "apple", 3)
    opened = panel(visitor, visitor.get("/display/"))
    assert data(opened, "stored") == ["row"]
    assert visitor.jar.get("sessionid_04").value in data_text(opened, "stored")[0]
    assert data_text(opened, "decoded") == ["{'cart': {'apple': 3}, '_session_expiry': 120}"]
    assert data(opened, "whole")[0] == "120"
    left = int(data(opened, "left")[0])
    assert 119 - (time.monotonic() - began) <= left <= 120  # the clock is real


def test_every_attribute_of_a_cookie_is_explained(visitor):
    part = set_cookie(panel(visitor, cart.add(visitor, "apple", 3)), "sessionid_04")
    assert part.get("data-owner") == "session"
    names = part.xpath(".//dt/@data-attribute")
    assert names == ["Max-Age", "Path", "Domain", "HttpOnly", "Secure", "SameSite"]
    header = [part.strip() for part in part.findtext(".//code[@data-header]").split(";")]
    present = [dt.text_content() for dt in part.iter("dt") if dt.text_content() in header]
    assert present == ["Max-Age=120", "Path=/", "HttpOnly", "SameSite=Lax"]
    assert all(meaning.text_content() for meaning in part.iter("dd"))
    assert part.xpath(".//@data-whole") == ["120"]


def test_the_diagram_has_all_messages_in_order(visitor):
    opened = document(panel(visitor, cart.add(visitor, "apple", 3)))
    items = opened.xpath("//ol/li[@data-from]")
    browser, server, store = "012"
    assert [(item.get("data-from"), item.get("data-to")) for item in items[:3]] == [
        (browser, server),
        (server, store),
        (server, browser),
    ]
    post, create, redirect = (item.text_content() for item in items[:3])
    assert "POST /add/" in post
    assert diagram.CSRF in post
    assert "create" in create
    assert "sessionid_04" in redirect


def test_the_diagram_names_the_labs_own_cookies():
    # The settings of these tests are lab 03's.
    names = ["csrftoken", "sessionid_11", "cart_04_x", "cart_03_apple", "theme"]
    text = diagram.count_by_owner(names)
    assert text.startswith("cart_03_apple")
    assert [name for name in names if name in text] == ["cart_03_apple"]


def test_a_change_inside_an_entry_is_shown_as_lost(servers):
    visitor = WireVisitor(servers("08").port)
    visitor.submit("/api/", {"operation": "put_cart"})
    page = visitor.submit("/api/", {"operation": "change_inside"})
    assert "change-lost" in [session for _, _, session, _ in summary(page)]
    opened = panel(visitor, page)
    assert "change-lost" in data(opened, "session")
    assert ["cart", "{'tea': 1}", "{'tea': 2}"] in [row[:3] for row in table(opened, "session")]


def test_a_lab_without_sessions_shows_its_cookies(servers):
    visitor = WireVisitor(servers("03").port)
    page = cart.add(visitor, "apple", 3)
    assert summary(page) == [
        ("POST /add/", "302", "", "cart_03_apple"),
        ("GET /display/", "200", "", "csrftoken_03"),
    ]
    opened = panel(visitor, page)
    assert data(opened, "session") == ["", ""]
    assert data(opened, "nothing-stored") == ["no-sessions"]
    assert set_cookie(opened, "cart_03_apple").get("data-owner") == "lab"


def test_a_session_that_the_view_opens_is_marked(servers):
    visitor = WireVisitor(servers("05").port)
    page = visitor.submit("/key_in_url/name/", {"name": "Anu"})
    assert document(panel(visitor, page)).xpath("//li[@data-operation and @data-other-session]")
    assert summary(page)[0][:3] == ("POST /key_in_url/name/", "302", "untouched")


@pytest.mark.parametrize(
    ("engine", "stored"),
    [
        ("cached_db", "entry row"),
        ("cache", "entry"),
        ("file", "file"),
        ("signed_cookies", "cookie"),
    ],
)
def test_every_engine_can_be_looked_into(servers, engine, stored):
    environ = {"SESSION_ENGINE": f"django.contrib.sessions.backends.{engine}"}
    visitor = WireVisitor(servers("06", migrate="row" in stored, **environ).port)
    visitor.get("/")
    opened = panel(visitor, visitor.get("/"))
    assert ["count", "1", "2"] in [row[:3] for row in table(opened, "session")]
    assert data(opened, "stored") == [stored]
    assert "'count': 2" in data_text(opened, "decoded")[0]


@pytest.mark.parametrize(
    ("engine", "event", "expired_records"),
    [
        ("db", "read", 1),
        ("cached_db", "read", 1),
        ("cache", "read", 0),
        # The file engine deletes the expired session's file, and creates an empty session.
        ("file", "created", 0),
        ("signed_cookies", "created", 0),
    ],
)
def test_an_expired_session_is_told_on_every_engine(servers, engine, event, expired_records):
    environ = {"SESSION_ENGINE": f"django.contrib.sessions.backends.{engine}"}
    visitor = WireVisitor(servers("08", migrate="db" in engine, **environ).port)
    opened = panel(visitor, visitor.submit("/api/", {"operation": "assign"}))
    try:
        use_control(visitor, opened, "clock", by="1209600")
        page = visitor.get("/student/get/")
        assert (key_fate(page), summary(page)[0][2]) == ("expired", event)
        opened = panel(visitor, page)
        assert data(opened, "key-fate") == ["expired"]
        assert len(data(opened, "expired")) == expired_records
        assert bool(data(opened, "nothing-stored")) == (engine == "cache")
    finally:
        use_control(visitor, opened, "clock", by="now")


def test_an_expired_row_is_shown_until_it_is_deleted(visitor):
    opened = panel(visitor, cart.add(visitor, "apple", 3))
    key = visitor.jar.get("sessionid_04").value
    # The control redirects to the page with the cart.
    page = use_control(visitor, opened, "clock", by="120")
    try:
        assert summary(page)[0][:3] == ("GET /display/", "200", "read")
        assert key_fate(page) == "expired"
        opened = panel(visitor, page)
        assert len(data(opened, "expired")) == 1
        assert key in data_text(opened, "stored")[0]
        assert data(opened, "nothing-stored") == []
        visitor.jar.store(f"sessionid_04={key}; Path=/", visitor.origin)
        untouched = panel(visitor, visitor.get("/nowhere/"))
        assert len(data(untouched, "expired")) == 1
    finally:
        use_control(visitor, opened, "clock", by="now")


BARE = {
    "method": "GET",
    "path": "/",
    "peer": "127.0.0.1",
    "agent": "",
    "host": "127.0.0.1:8004",
    "scheme": "http",
    "cookie_header": "",
}


def test_a_cookie_that_browsers_refuse_is_shown_as_refused():
    exchange = log.begin(**BARE)
    exchange.set_cookies = [
        "a=" + "x" * 4096 + "; Path=/",
        "__Host-b=1; Path=/x",
        "c=1; Domain=d.example",
    ]
    assert [bool(cookie.refusal) for cookie in cookie_explanations.response_cookies(exchange)] == [
        True,
        True,
        True,
    ]


def test_any_max_age_below_one_deletes_a_cookie():
    exchange = log.begin(**BARE | {"cookie_header": "a=1; b=2"})
    exchange.set_cookies = ["a=; Max-Age=0; Path=/", "b=x; Max-Age=-100; Path=/"]
    cookies = cookie_explanations.response_cookies(exchange)
    assert [cookie.deletion for cookie in cookies] == ["sent", "sent"]
    assert exchange.may_be_followed_by({})


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
def test_the_first_number_in_a_name_decides_the_owner(name, own):
    assert (
        cookie_explanations.cookie_owner(name).is_this_lab == own
    )  # the settings of these tests are lab 03's


# The effect on the session


def last_of_api(servers, *operations):
    """Press these buttons of lab 08; return the last page's bar and the events in its panel."""
    visitor = WireVisitor(servers("08").port)
    for operation in operations:
        page = visitor.submit("/api/", {"operation": operation})
    events = [session for _, _, session, _ in summary(page)]
    assert data(panel(visitor, page), "session") == events
    return events


def test_emptying_an_empty_session_loses_nothing(servers):
    assert "empty" in last_of_api(servers, "flush")


def test_a_new_key_does_not_delete_the_session(servers):
    events = last_of_api(servers, "assign", "cycle_key")
    assert "new-key" in events
    assert "deleted" not in events


def test_flush_deletes_the_session(servers):
    assert "deleted" in last_of_api(servers, "assign", "flush")


def test_the_list_starts_with_the_newest_request(visitor):
    visitor.get("/display/")
    visitor.get("/add/")
    rows = document(visitor.get("/__lab__/")).xpath("//tbody/tr")
    shown = [row.xpath(".//*[@class='wire']")[0].text for row in rows[:2]]
    assert shown == ["GET /add/", "GET /display/"]


def test_an_untouched_session_is_still_shown_in_the_store(visitor):
    cart.put(visitor, "apple", 3)
    page = visitor.get("/nowhere/")
    assert summary(page) == [("GET /nowhere/", "404", "untouched", "")]
    opened = panel(visitor, page)
    assert data(opened, "no-entries") == ["not-loaded"]
    assert "{'apple': 3}" in data_text(opened, "decoded")[0]


@pytest.mark.parametrize(
    ("key", "path", "why"),
    [
        ("abc", "/nowhere/", "too-short"),
        ("x" * 32, "/nowhere/", "no-match"),
        ("x" * 32, "/display/", "no-match"),
        ("", "/nowhere/", "no-session"),
    ],
)
def test_a_key_that_was_never_issued_was_not_deleted(visitor, key, path, why):
    if key:
        visitor.jar.store(f"sessionid_04={key}; Path=/", visitor.origin)
    opened = panel(visitor, visitor.get(path))
    assert data(opened, "nothing-stored") == [why]
    assert bool(data(opened, "key-not-found")) == bool(key)


def test_a_session_that_is_gone_since_is_told_from_that(servers):
    visitor = WireVisitor(servers("08").port)
    page = visitor.submit("/api/", {"operation": "assign"})
    flushed = visitor.submit("/api/", {"operation": "flush"})
    assert data(panel(visitor, page), "nothing-stored") == ["gone"]
    assert data(panel(visitor, flushed), "nothing-stored") == ["deleted"]


# Who sees what


def test_markup_is_shown_and_not_obeyed(visitor):
    evil = "<script>alert(7)</script>"
    page = cart.add(visitor, evil, 3)
    visitor.jar.store("x=<script>alert(7)</script>; Path=/", visitor.origin)
    for response in (page, visitor.get(f"/display/?x={evil}"), panel(visitor, page)):
        assert evil not in text(response)
    assert evil not in text(panel(visitor, visitor.get("/display/")))


def test_markup_in_a_request_line_cannot_leave_its_attribute(visitor):
    page = visitor.get('/display/?"onclick="alert(7)')
    (row,) = summary_bar(page).xpath(".//*[@data-request]")
    assert set(row.attrib) == {
        "class",
        "data-request",
        "data-status",
        "data-session",
        "data-set-cookies",
        "data-deleted-cookies",
        "data-key-fate",
    }


def test_a_password_is_not_remembered(servers):
    visitor = WireVisitor(servers("11").port)
    visitor.submit("/login/", {"username": "ada", "password": "wrong-secret"})
    page = visitor.submit("/login/", {"username": "ada", "password": "lovelace"})
    assert "password" in document(panel(visitor, page)).xpath("//dl[@data-form]/dt/text()")
    for exchange in json.loads(visitor.get("/__lab__/exchanges.json").content)["exchanges"]:
        assert "wrong-secret" not in text(visitor.get(exchange["url"]))


STRANGERS = [
    {"host": "192.168.1.5:8004"},
    {"x-forwarded-for": "127.0.0.1"},
    {"forwarded": "for=127.0.0.1"},
    {"via": "1.1 proxy"},
    {"host": "127.0.0.1.evil.example"},
]


@pytest.mark.parametrize("headers", STRANGERS, ids=str)
def test_a_stranger_sees_an_exchange_but_no_controls_and_no_list(visitor, headers):
    page = cart.add(visitor, "apple", 3)
    opened = visitor.get(panel_url(page), headers=headers)
    assert opened.status_code == 200
    assert not document(opened).forms
    assert not document(opened).xpath("//*[@id='controls'] | //pre")
    assert visitor.get("/__lab__/", headers=headers).status_code == 404
    assert visitor.get("/__lab__/exchanges.json", headers=headers).status_code == 404
    key = key_of(visitor.get(panel_url(page)))
    refused = visitor.post(f"{panel_url(page)}reset/", {"key": key}, headers=headers)
    assert refused.status_code == 403
    assert cart.cart(visitor) == {"apple": 3}


def test_another_site_cannot_use_the_controls(visitor):
    page = cart.add(visitor, "apple", 3)
    key = key_of(panel(visitor, page))
    url = f"{panel_url(page)}reset/"
    assert visitor.post(url).status_code == 403
    assert visitor.post(url, {"key": "x" * 32}).status_code == 403
    with visitor.coming_from("http://evil.example/"):
        assert visitor.post(url, {"key": key}).status_code == 403
    assert visitor.get(url).status_code == 405
    assert cart.cart(visitor) == {"apple": 3}


def test_the_curl_command_requests_the_same_page(visitor):
    opened = panel(visitor, cart.add(visitor, "apple", 3))
    arguments = shlex.split(document(opened).findtext(".//pre/code"))
    assert arguments[0] == "curl"
    result = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=20)
    assert "apple" in result.stdout


# The log


def test_the_log_is_bounded_in_number_and_in_size():
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


@pytest.mark.parametrize(
    "field", ["agent", "host", "peer", "method", "location", "content_type", "key", "path", "form"]
)
def test_every_field_counts_for_the_logs_size(field):
    log = Log()
    for _ in range(30):
        exchange = log.begin(**BARE)
        setattr(exchange, field, "x" * (MOST_BYTES // 20))
        log.add(exchange)
    assert 10 < len(log.newest()) < 20
    log.clear()


def test_active_visitors_are_counted_once_and_not_forever():
    log = Log()
    browsers = [BARE | {"agent": agent} for agent in ("one", "two", "one", "three")]
    *recent, old = [log.begin(**browser) for browser in browsers]
    old.monotonic -= 301
    for exchange in (*recent, old):
        log.add(exchange)
    assert log.active_visitors(300) == 2


def test_operations_and_accesses_count_for_the_logs_size():
    log = Log()
    for _ in range(30):
        exchange = log.begin(**BARE)
        exchange.operations.append(StoreOperation("load", 1, "k" * (MOST_BYTES // 40)))
        exchange.accesses[1] = {(f"{line}.py", line, False): True for line in range(5000)}
        log.add(exchange)
    assert 10 < len(log.newest()) < 30


def test_a_forgotten_redirect_counts_with_the_page_it_led_to():
    log = Log()
    browser = BARE | {"host": "127.0.0.1", "peer": "127.0.0.1"}
    for _ in range(30):
        redirect = log.begin(**browser | {"form": "x" * (MOST_BYTES // 20)})
        redirect.location = "/"
        log.add(redirect)
        log.add(page := log.begin(**browser | {"path": "/"}))
        assert page.redirect is redirect
    assert len(log.newest()) < 20


def test_little_is_kept_of_long_headers(visitor):
    long = "x" * 60_000
    response = visitor.get("/", headers={"User-Agent": long})
    assert response.status_code == 200
    visitor.get("/", headers={"Host": long})
    listed = json.loads(text(visitor.get("/__lab__/exchanges.json?most=2")))["exchanges"]
    assert max(len(each["host"]) for each in listed) <= LONGEST_HOST


def test_a_strange_host_gets_no_page_of_the_panel(servers):
    """With DEBUG on, Django's error page would show the settings and the environment."""
    lab = servers("03", migrate=False, LAB_DEBUG="1", DATABASE_URL="mysql://u:hidden@db/x")
    for path in ("/", "/nothing/", "/__lab__/", "/__lab__/exchanges.json", "/__lab__/nothing/"):
        page = WireVisitor(lab.port).get(path, headers={"Host": "evil.example"})
        assert page.status_code == 400
        assert "hidden" not in text(page)


def test_a_redirect_is_forgotten_after_a_minute():
    log = Log()
    browser = {"peer": "127.0.0.1", "agent": "", "host": "127.0.0.1", "scheme": "http"}

    def exchange(path, seconds, location=""):
        begun = log.begin(method="GET", path=path, cookie_header="", **browser)
        begun.monotonic, begun.location = seconds, location
        log.add(begun)
        return begun

    exchange("/add", 0, "/add/")
    assert exchange("/add/", FOLLOWED_WITHIN).redirect is None
    redirect = exchange("/add", 100, "/add/")
    assert exchange("/add/", 99 + FOLLOWED_WITHIN).redirect is redirect


def test_forty_redirects_at_once_all_find_their_pages(shop):
    visitors = [WireVisitor(shop.port) for _ in range(40)]
    for number, one in enumerate(visitors):
        cart.put(one, f"item {number}")
    for one in visitors:
        assert summary(one.get("/display/"))[0][:3] == ("POST /add/", "302", "created")


def test_a_forgotten_exchange_is_not_found(visitor):
    page = cart.add(visitor, "apple", 3)
    use_control(visitor, panel(visitor, page), "reset")
    assert visitor.get(panel_url(page)).status_code == 404


def test_the_panel_sets_no_cookie(visitor):
    page = cart.add(visitor, "apple", 3)
    for url in (panel_url(page), "/__lab__/", "/__lab__/exchanges.json"):
        visitor.get(url)
        assert visitor.exchanges[-1].set_cookies == []
