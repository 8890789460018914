"""What textbook pages do today: the pages of textbook.py, driven as the labs are.

Each test shows the mistake. That the labs do otherwise is in their own tests, under the same mark.
"""

import contextlib
import sqlite3

import pytest
from django.template import TemplateDoesNotExist
from django.utils.datastructures import MultiValueDictKeyError

from labkit.http.origin import Context
from labkit.testing import response_checks
from labkit.testing.contracts import text, words

CARTS = pytest.mark.parametrize("cart", ["/cookies/", "/session/"])


@pytest.fixture(autouse=True)
def _pages_as_in_textbooks(settings):
    settings.ROOT_URLCONF = "textbook"
    own = "labkit.base.middleware.error_pages"
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != own]


def crash(visitor, path, data=None, error=Exception, said=""):
    """GET this, or POST these fields: a server error of this kind that says this."""
    with visitor.expecting(response_checks.SERVER_ERROR):
        response = visitor.get(path) if data is None else visitor.post(path, data)
    kind, value, _ = response.exc_info
    assert issubclass(kind, error)
    assert said in str(value)
    return response


def item(name, quantity="1"):
    return {"name": name, "quantity": quantity}


def shown(visitor, path):
    return words(visitor.get(path))


# The page counts


@pytest.mark.pitfall("B12")
@pytest.mark.parametrize("value", ["abc", "", "1.5"])
def test_a_count_that_is_no_number_crashes_at_every_visit(visitor, value):
    visitor.get("/count/")
    visitor.edit_cookie("count", value)
    for _ in range(3):
        crash(visitor, "/count/", error=ValueError, said="invalid literal for int()")
    visitor.jar.clear()
    assert text(visitor.get("/count/")) == "1"


@pytest.mark.pitfall("B12")
def test_4301_digits_are_a_crash_of_their_own(visitor):
    with visitor.expecting(response_checks.SERVER_ERROR):
        response = visitor.get("/count/", headers={"cookie": "count=" + "9" * 4301})
    assert "Exceeds the limit" in str(response.exc_info[1])


@pytest.mark.pitfall("B12")
@pytest.mark.parametrize(("value", "taken_for"), [("-7", -6), ("1_0", 11), ("９", 10), ("٣", 4)])
def test_what_int_takes_for_a_number(visitor, value, taken_for):
    visitor.get("/count/")
    visitor.edit_cookie("count", value)
    assert int(text(visitor.get("/count/"))) == taken_for


@pytest.mark.pitfall("B41")
def test_a_cookie_without_flags_is_open_to_scripts(visitor):
    visitor.get("/count/")
    cookie = visitor.jar.get("count")
    assert (cookie.http_only, cookie.secure) == (False, False)
    assert "SameSite" not in visitor.exchanges[-1].set_cookies[0]
    script = Context(http_api=False)
    assert visitor.jar.header(visitor.origin, script) == "count=1"
    visitor.jar.store("count=41; Path=/", visitor.origin, script)
    assert text(visitor.get("/count/")) == "42"


@pytest.mark.pitfall("B17")
def test_a_glance_by_head_is_counted(visitor):
    assert text(visitor.get("/session-count/")) == "1"
    visitor.head("/session-count/")
    assert text(visitor.get("/session-count/")) == "3"


@pytest.mark.pitfall("B36")
def test_an_item_called_count_spoils_the_count_in_the_session(visitor):
    visitor.post("/session/add/", item("count", "5"))
    for _ in range(2):
        crash(visitor, "/session-count/", error=TypeError, said="can only concatenate str")


@pytest.mark.pitfall("B36")
def test_an_item_called_count_is_taken_for_visits(visitor):
    visitor.post("/cookies/add/", item("count", "41"))
    assert text(visitor.get("/count/")) == "42"


@pytest.mark.pitfall("B40")
def test_two_that_read_before_either_writes_count_as_one_unless_the_database_adds(tmp_path):
    with contextlib.ExitStack() as stack:
        one, two = (
            stack.enter_context(contextlib.closing(sqlite3.connect(tmp_path / "counts")))
            for _ in range(2)
        )
        one.execute("CREATE TABLE visits (n INTEGER)")
        one.execute("INSERT INTO visits VALUES (1)")
        one.commit()

        def read(connection):
            return connection.execute("SELECT n FROM visits").fetchone()[0]

        seen = [read(one), read(two)]
        for connection, n in zip((one, two), seen, strict=True):
            connection.execute("UPDATE visits SET n = ?", (n + 1,))
            connection.commit()
        assert read(one) == 2  # of two visits one is lost
        read(two)
        for connection in (one, two):  # this is what F("n") + 1 becomes
            connection.execute("UPDATE visits SET n = n + 1")
            connection.commit()
        assert read(one) == 4


# The carts


@pytest.mark.pitfall("B04")
def test_every_cookie_is_shown_as_an_item(visitor):
    visitor.get("/cookies/add/")
    visitor.get("/count/")
    visitor.post("/session/add/", item("pear"))
    assert {"csrftoken", "count", "sessionid"} <= set(shown(visitor, "/cookies/").split())


@pytest.mark.pitfall("B06")
def test_the_form_alone_fills_the_cart(visitor):
    assert shown(visitor, "/cookies/") == "no items"
    visitor.get("/cookies/add/")
    assert "no items" not in shown(visitor, "/cookies/")


@pytest.mark.pitfall("B05")
def test_an_empty_session_is_true(visitor):
    assert shown(visitor, "/session/") == ""
    assert b"<table>" in visitor.get("/session/").content


@pytest.mark.pitfall("B08", "B09")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        *(
            (name, "Illegal key")
            for name in ["red apple", "café", "अनार", "a;b", "apple(1)", "a/b"]
        ),
        *((name, "reserved") for name in ["path", "expires", "domain", "secure", "samesite"]),
    ],
)
def test_a_name_that_is_no_cookies_name_is_a_crash(visitor, name, said):
    crash(visitor, "/cookies/add/", item(name), said=said)


@pytest.mark.pitfall("B11")
@pytest.mark.parametrize("name", ["__Host-x", "__Secure-x", "x" * 5000])
def test_a_name_that_the_browser_refuses_is_lost_without_a_word(visitor, name):
    broken = [response_checks.COOKIE_REFUSED] + [response_checks.SET_COOKIE_SIZE] * (
        len(name) > 4096
    )
    with visitor.expecting(*broken):
        response = visitor.post("/cookies/add/", item(name))
    assert (response.status_code, text(response)) == (200, "added")
    assert list(visitor.jar) == []


@pytest.mark.pitfall("B18", "B20")
@pytest.mark.parametrize("path", ["/session/add/", "/info/"])
def test_a_view_that_returns_nothing_is_a_crash(visitor, path):
    crash(visitor, path, error=ValueError, said="didn't return an HttpResponse object")


@pytest.mark.pitfall("B22")
def test_a_template_by_another_name_is_a_crash(visitor):
    crash(visitor, "/display/", error=TemplateDoesNotExist, said="displayitems.html")


@pytest.mark.pitfall("B26")
@pytest.mark.parametrize("quantity", ["-5", "lots", ""])
def test_any_text_is_a_quantity_in_the_session(visitor, quantity):
    visitor.post("/session/add/", item("apple", quantity))
    assert shown(visitor, "/session/") == f"apple {quantity}".strip()


@pytest.mark.pitfall("B27")
def test_a_form_without_a_minimum_takes_minus_three(visitor):
    visitor.post("/cookies/checked/", item("apple", "-3"))
    assert shown(visitor, "/cookies/") == "apple -3"


@pytest.mark.pitfall("B30")
def test_a_refused_form_comes_back_blank(visitor):
    response = visitor.post("/cookies/checked/", item("apple", "lots"))
    assert response.status_code == 200
    assert b"errorlist" not in response.content
    assert b"apple" not in response.content


@pytest.mark.pitfall("B28")
@CARTS
def test_adding_again_forgets_what_was_there(visitor, cart):
    visitor.post(f"{cart}add/", item("apple", "3"))
    visitor.post(f"{cart}add/", item("apple", "2"))
    assert shown(visitor, cart) == "apple 2"


@pytest.mark.pitfall("B29")
@CARTS
@pytest.mark.parametrize("data", [{}, {"name": "apple"}, {"quantity": 1}])
def test_a_missing_field_is_a_crash(visitor, cart, data):
    crash(visitor, f"{cart}add/", data, error=MultiValueDictKeyError)


@pytest.mark.pitfall("B31")
def test_a_reload_adds_again_and_prolongs(visitor, clock):
    fields = item("apple", "3")
    assert visitor.post("/cookies/add/", fields, follow=True).redirect_chain == []
    end = visitor.jar.get("apple").expires
    clock.forward(seconds=10)
    visitor.post("/cookies/add/", fields)  # without a redirect, that is what a reload sends
    assert visitor.jar.get("apple").expires == end + 10


@pytest.mark.pitfall("B32")
@pytest.mark.parametrize("value", ["abc", "0", "120"])
def test_a_visitor_who_writes_session_expiry_crashes_the_middleware(visitor, value):
    crash(visitor, "/session/add/", item("_session_expiry", value), error=ValueError)


@pytest.mark.pitfall("B32")
def test_a_visitor_who_writes_session_expiry_chooses_the_end_of_the_session(visitor, clock):
    visitor.post("/session/add/", item("_session_expiry", "2030-12-31T00:00:00+00:00"))
    days = (visitor.jar.get("sessionid").expires - clock.now.timestamp()) / 86400
    assert 350 < days < 360
    visitor.post("/session/add/", item("apple"))
    assert "apple 1" in shown(visitor, "/session/")
    visitor.post("/session/add/", item("_session_expiry", "2001-01-01T00:00:00+00:00"))
    assert "apple 1" not in shown(visitor, "/session/")


@pytest.mark.pitfall("B35")
@CARTS
def test_an_item_called_items_hides_the_method(visitor, cart):
    visitor.post(f"{cart}add/", item("items", "3"))
    for _ in range(2):
        crash(visitor, cart, error=ValueError, said="Need 2 values to unpack")


@pytest.mark.pitfall("B46")
def test_a_pattern_without_an_end_takes_anything_and_a_missing_slash_costs_a_redirect(visitor):
    visitor.post("/cookies/add/", item("apple", "3"))
    assert shown(visitor, "/cookies/anything/at/all") == "apple 3"
    response = visitor.get("/cookies")
    assert (response.status_code, response["Location"]) == (301, "/cookies/")
