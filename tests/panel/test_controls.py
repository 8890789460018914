"""Test the instructor's controls: their redirects and messages."""

import json

import lxml.html
import pytest
from django.test import RequestFactory

from labkit.base.served_labs import CODE, HANDOUT
from labkit.panel import control_views, instructor_controls
from labkit.panel.exchange_log import log
from labkit.testing.contracts import text
from labkit.testing.contracts.carts import CartPages
from labkit.testing.lab_server import LabServer
from labkit.testing.wire_visitor import WireVisitor

cart = CartPages()
SCRIPT = {"x-requested-with": "fetch"}


@pytest.fixture(scope="module")
def servers(checkout):
    """Labs on servers; each is started when a test first needs it."""
    running = {}

    def server(number, migrate=True, **environ):
        key = (number, *environ.items())
        if key not in running:
            lab = checkout.find(number)
            migrate = migrate and lab.database
            running[key] = LabServer(lab.folder, migrate=migrate, environ=environ)
        return running[key]

    yield server
    for one in running.values():
        one.stop()


@pytest.fixture
def visitor(servers):
    """Yield the instructor's visitor, and set the clock back to the real time afterwards."""
    visitor = WireVisitor(servers("04", LAB_HOSTS="*").port)
    yield visitor
    use(visitor, visitor.get("/"), "clock", by="now")


def document(response):
    return lxml.html.document_fromstring(text(response))


def token_url(page):
    """Return the URL of this page's exchange."""
    return document(page).xpath("//*[@class='summary-row']/@href")[0]


def key_of(page):
    """Return the key that the controls on this page send."""
    return document(page).xpath("//input[@name='key']/@value")[0]


def use(visitor, page, control, headers=None, follow=True, **fields):
    """Submit a control on this page; return the next page."""
    url, fields = f"{token_url(page)}{control}/", {"key": key_of(page)} | fields
    return visitor.post(url, fields, follow=follow, headers=headers)


def message(page):
    """Return (control, text, URL of the next step) from the page's message, or None."""
    found = document(page).xpath("//*[@role='status']")
    if not found:
        return None
    (status,) = found
    step = status.find("a")
    link = None if step is None else step.get("href")
    return status.get("data-message"), status.text or "", link


def clock(page):
    """Return the text about a moved clock, or None."""
    found = document(page).xpath("//*[@data-server-clock]")
    return " ".join(found[0].text_content().split()) if found else None


def error_beside(page, control):
    """Return the error at this control, and the value in its field."""
    (error,) = document(page).xpath(f"//*[@data-invalid='{control}']")
    (field,) = document(page).xpath(f"//input[contains(@aria-describedby, '{error.get('id')}')]")
    return error.text_content(), field.get("value")


# Where they lead


CONTROLS = {
    "clock": {"by": "60"},
    "cookie": {"cookie": "sessionid_04", "value": "x" * 32},
    "entry": {"entry": "cart", "value": '{"apple": 500}'},
    "reset": {},
}


@pytest.mark.parametrize("control", CONTROLS)
def test_a_control_leads_back_to_its_page_and_says_what_it_did(visitor, control):
    cart.put(visitor, "apple", 3)
    shown = visitor.get("/display/?a=1")
    response = use(visitor, shown, control, follow=False, **CONTROLS[control])
    assert (response.status_code, response["Location"]) == (303, "/display/?a=1")
    page = visitor.get(response["Location"])
    assert message(page)[0] == control
    assert message(page)[1]
    assert message(visitor.get("/display/")) is None  # it is shown once


@pytest.mark.parametrize("control", CONTROLS)
def test_a_script_gets_the_message_with_the_next_step(visitor, control):
    cart.put(visitor, "apple", 3)
    shown = visitor.get("/display/")
    response = use(visitor, shown, control, headers=SCRIPT, **CONTROLS[control])
    assert response.status_code == 200
    assert (message(response)[0], message(response)[2]) == (control, "/display/")
    assert message(visitor.get("/")) is None


def test_a_page_that_was_posted_leads_to_its_exchange(visitor):
    refused = visitor.post("/add/", {"name": ""}, follow=False)
    response = use(visitor, refused, "clock", follow=False, by="60")
    assert response["Location"] == token_url(refused)
    assert message(visitor.get(response["Location"]))[0] == "clock"
    by_script = use(visitor, refused, "clock", headers=SCRIPT, by="60")
    assert message(by_script)[2] == "/"
    after_reset = use(visitor, refused, "reset", follow=False)
    assert after_reset["Location"] == "/"


def test_a_control_never_leads_to_another_site():
    exchange = log.begin(method="GET", path="//evil.example/")
    log.add(exchange)
    fields = {"key": instructor_controls.form_key(), "by": "now"}
    request = RequestFactory().post("/", fields, HTTP_HOST="127.0.0.1")
    response = control_views.control(request, exchange.token, "clock")
    assert response["Location"] == "/%2Fevil.example/"


def test_the_message_waits_for_its_own_browser(visitor):
    use(visitor, visitor.get("/"), "clock", follow=False, by="60")
    other = {"user-agent": "another browser"}
    assert message(visitor.get("/", headers=other)) is None
    assert message(visitor.get("/", headers={"host": "localhost"})) is None
    assert message(visitor.get("/"))[0] == "clock"


# The clock


def test_a_moved_clock_is_on_every_page_of_the_lab(visitor):
    assert clock(use(visitor, visitor.get("/"), "clock", by="120")).count("2 minutes") == 1
    use(visitor, visitor.get("/"), "clock", by="1209600")
    for path in ("/", "/add/", "/display/", "/info/", "/nowhere/", HANDOUT, CODE):
        assert "2 weeks, 2 minutes" in clock(visitor.get(path))
        student = visitor.get(path, headers={"host": "192.168.1.5"})
        assert "2 weeks, 2 minutes" in clock(student)
        assert not document(student).xpath("//aside//form | //aside//button")
    page = visitor.press("Back to now", visitor.get("/display/"))
    assert clock(page) is None
    assert instructor_controls.CLOCK_IS_REAL in message(page)[1]


def test_the_bar_has_a_button_for_each_step(visitor):
    buttons = document(visitor.get("/")).xpath(
        "//aside//form[contains(@action, '/clock/')]//button"
    )
    steps = {button.get("value"): button.get("aria-label") for button in buttons}
    assert steps == instructor_controls.STEPS
    assert steps["1209600"] == "+2 weeks"
    for button in buttons:  # the accessible name contains the visible text, as WCAG 2.5.3 requires
        assert button.text in button.get("aria-label")


def test_the_servers_clock_moves_and_the_browsers_does_not(visitor):
    page = visitor.press("+1 minute", cart.add(visitor, "apple", 3))
    assert document(page).xpath("//aside/@data-clock-ahead") == ["60"]
    assert cart.cart(visitor) == {"apple": 3}
    key = visitor.jar.get("sessionid_04").value
    page = visitor.press("+1 minute", page)
    assert f"sessionid_04={key}".encode() in page.exchange.cookie_bytes  # it is still sent
    assert cart.cart(visitor) == {}


def test_the_clock_says_what_became_of_the_row(visitor):
    page = cart.add(visitor, "apple", 3)
    living = use(visitor, page, "clock", headers=SCRIPT, by="60")
    assert message(living)[1].startswith(instructor_controls.LIVING_ROW.partition("{")[0])
    expired = use(visitor, page, "clock", headers=SCRIPT, by="60")
    assert message(expired)[1].strip() == instructor_controls.EXPIRED_ROW
    reloaded = visitor.get("/display/")
    assert message(reloaded) == ("clock", instructor_controls.EXPIRED_ROW_SEEN, None)


def test_what_was_read_in_the_store_is_not_said_after_a_write(visitor):
    cart.put(visitor, "apple", 3)
    form = visitor.get("/add/")
    said = message(use(visitor, form, "clock", headers=SCRIPT, by="120"))
    assert said[1].strip() == instructor_controls.EXPIRED_ROW
    assert message(visitor.submit("/add/", {"name": "pear", "quantity": 1}, form)) is None


def test_without_sessions_the_clock_says_what_it_did(servers):
    visitor = WireVisitor(servers("03").port)
    page = use(visitor, cart.add(visitor, "apple", 3), "clock", by="120")
    assert message(page)[1] == instructor_controls.CLOCK_MOVED.format(distance="2 minutes")
    assert cart.cart(visitor) == {"apple": 3}


# Reset, cookie and entry


def test_reset_says_in_numbers_what_it_deleted(visitor, servers):
    use(visitor, visitor.get("/"), "reset")
    classmate = WireVisitor(servers("04", LAB_HOSTS="*").port)
    cart.put(classmate, "pear")
    page = cart.add(visitor, "apple", 3)
    visitor.jar.store("cart_03_apple=3; Path=/", visitor.origin)
    said = message(use(visitor, page, "reset"))[1]
    assert "2 rows" in said
    assert "2 cookies" in said
    assert instructor_controls.CLOCK_IS_REAL in said
    assert [cookie.name for cookie in visitor.jar if "04" not in cookie.name] == ["cart_03_apple"]
    assert cart.cart(visitor) == cart.cart(classmate) == {}


@pytest.mark.parametrize(("engine", "deleted"), [("cache", "1 cache entry"), ("file", "1 file")])
def test_reset_counts_what_each_engine_keeps(servers, engine, deleted):
    environ = {"SESSION_ENGINE": f"django.contrib.sessions.backends.{engine}"}
    visitor = WireVisitor(servers("06", migrate=False, **environ).port)
    assert deleted in message(use(visitor, visitor.get("/"), "reset"))[1]


def test_a_cookie_can_be_tampered_with(visitor):
    page = cart.add(visitor, "apple", 3)
    done = use(visitor, page, "cookie", SCRIPT, cookie="sessionid_04", value="x" * 32)
    assert "sessionid_04" in message(done)[1]
    assert visitor.jar.get("sessionid_04").value == "x" * 32
    assert cart.cart(visitor) == {}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"cookie": "other", "value": "x"}, instructor_controls.FOREIGN_COOKIE),
        ({"cookie": "sessionid_04", "value": "a;b"}, instructor_controls.BAD_VALUE),
        ({"cookie": "sessionid_04", "value": "x" * 4096}, instructor_controls.TOO_LONG),
    ],
)
@pytest.mark.parametrize("headers", [None, SCRIPT])
def test_a_value_that_a_cookie_cannot_have_is_refused(visitor, fields, why, headers):
    refused = use(visitor, cart.add(visitor, "apple", 3), "cookie", headers=headers, **fields)
    assert refused.status_code == 422
    assert error_beside(refused, "cookie") == (why, fields["value"])
    assert cart.cart(visitor) == {"apple": 3}


def test_an_entry_of_the_session_can_be_tampered_with(visitor):
    page = cart.add(visitor, "apple", 3)
    page = use(visitor, page, "entry", entry="cart", value='{"apple": 99}')
    assert "{'apple': 99}" in message(page)[1]
    assert cart.cart(visitor) == {"apple": 99}
    use(visitor, page, "entry", entry="cart", delete="")
    assert cart.cart(visitor) == {}


@pytest.mark.parametrize("value", ["pear", "", "{apple: 5}", "1e400 5", '"\\ud8"'])
def test_a_value_that_is_no_json_stays_beside_its_error(visitor, value):
    refused = use(visitor, cart.add(visitor, "apple", 3), "entry", entry="cart", value=value)
    assert refused.status_code == 422
    error, typed = error_beside(refused, "entry")
    assert instructor_controls.JSON_EXAMPLE in error
    assert typed == value
    assert cart.cart(visitor) == {"apple": 3}


@pytest.mark.parametrize("value", ['"soon"', "[1]", "1e400", "NaN", '"2030-01-01"'])
def test_an_expiry_that_cannot_be_saved_is_refused(visitor, value):
    page = cart.add(visitor, "apple", 3)
    refused = use(visitor, page, "entry", entry="_session_expiry", value=value)
    assert error_beside(refused, "entry")[1] == value
    assert cart.cart(visitor) == {"apple": 3}


def test_a_session_that_cannot_be_changed_is_an_error_beside_the_field(visitor, servers):
    refused = use(visitor, visitor.get("/"), "entry", entry="cart", value="5")
    assert error_beside(refused, "entry") == (instructor_controls.NO_SESSION, "5")
    environ = {"SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies"}
    signed = WireVisitor(servers("06", migrate=False, **environ).port)
    refused = use(signed, signed.get("/"), "entry", entry="count", value="5")
    assert error_beside(refused, "entry") == (instructor_controls.SIGNED, "5")


def test_a_lab_without_sessions_has_no_entry_to_change(servers):
    visitor = WireVisitor(servers("03").port)
    page = cart.add(visitor, "apple", 3)
    opened = document(visitor.get(token_url(page)))
    assert opened.xpath("//form[contains(@action, '/cookie/')]")
    assert not opened.xpath("//form[contains(@action, '/entry/')]")
    assert use(visitor, page, "entry", entry="cart", value="5").status_code == 404


def test_controls_are_not_recorded(visitor):
    page = cart.add(visitor, "apple", 3)
    use(visitor, page, "clock", headers=SCRIPT, by="60")
    listed = json.loads(visitor.get("/__lab__/exchanges.json?most=1").content)["exchanges"]
    assert listed[0]["path"] == "/display/"


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("headers", [{"host": "192.168.1.5"}, {"via": "1.1 proxy"}])
def test_nobody_else_can_use_a_control(visitor, control, headers):
    page = cart.add(visitor, "apple", 3)
    for each in (headers, headers | SCRIPT):
        refused = use(visitor, page, control, headers=each, **CONTROLS[control])
        assert refused.status_code == 403
        assert "Set-Cookie" not in refused.headers
    assert cart.cart(visitor) == {"apple": 3}
