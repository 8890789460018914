"""The visitor behaves like a browser, and reports each response that breaks a rule."""

import asyncio
import inspect
import re

import pytest
from django.contrib.auth.models import User

from labkit.testing import BrokenPromise, Visitor, response_checks


def set_cookie(visitor, line):
    return visitor.get("/set-cookie/", {"line": line})


def sent(visitor, path="/echo/"):
    return visitor.get(path).content.decode()


def test_it_sends_back_what_it_was_given(visitor):
    set_cookie(visitor, "a=1; Path=/")
    set_cookie(visitor, "b=2; Path=/")
    assert sent(visitor) == "a=1; b=2"


def test_it_has_a_jar_of_its_own(visitor, classmate):
    set_cookie(visitor, "a=1; Path=/")
    assert sent(classmate) == ""


def test_it_sends_a_cookie_only_where_its_path_says(visitor):
    set_cookie(visitor, "a=1; Path=/a")
    assert sent(visitor) == ""
    assert sent(visitor, "/a/echo/") == "a=1"
    assert ["/a" in held.reason for held in visitor.held_back("/echo/")] == [True]


def test_its_cookies_age_with_the_server(visitor, clock):
    set_cookie(visitor, "a=1; Path=/; Max-Age=60")
    clock.forward(seconds=59)
    assert sent(visitor) == "a=1"
    clock.forward(seconds=1)
    assert sent(visitor) == ""


def test_closing_the_browser_drops_session_cookies_alone(visitor):
    set_cookie(visitor, "a=1; Path=/; Max-Age=60")
    set_cookie(visitor, "b=2; Path=/")
    visitor.close_browser()
    assert sent(visitor) == "a=1"


def test_with_cookies_blocked_it_sends_and_stores_none_and_keeps_those_it_had(visitor):
    set_cookie(visitor, "a=1; Path=/")
    visitor.block_cookies()
    set_cookie(visitor, "b=1; Path=/")
    assert sent(visitor) == ""
    visitor.block_cookies(False)
    assert sent(visitor) == "a=1"


def test_it_keeps_a_cookie_that_came_with_a_redirect(visitor):
    assert visitor.get("/redirect/", follow=True).content == b"from=redirect"


def test_a_test_may_send_a_cookie_header_of_its_own(visitor):
    set_cookie(visitor, "a=1; Path=/")
    assert visitor.get("/echo/", headers={"cookie": "x=y"}).content == b"x=y"


def test_context_and_templates_are_kept_as_with_the_client(visitor):
    response = visitor.get("/nowhere/")
    assert response.context["status"] == 404
    assert "labkit/error.html" in [template.name for template in response.templates]


def test_a_cookie_can_be_edited_by_hand(visitor):
    set_cookie(visitor, "a=1; Path=/; HttpOnly")
    visitor.edit_cookie("a", "अ")
    assert sent(visitor).encode("latin-1").decode() == "a=अ"
    with pytest.raises(KeyError):
        visitor.edit_cookie("b", "1")


def test_another_sites_link_carries_lax_cookies_and_its_image_does_not(visitor):
    set_cookie(visitor, "lax=1; Path=/; SameSite=Lax")
    set_cookie(visitor, "strict=1; Path=/; SameSite=Strict")
    with visitor.coming_from("http://evil.example/page"):
        assert sent(visitor) == "lax=1"
    with visitor.coming_from("http://evil.example/page", embedded=True):
        assert sent(visitor) == ""
    assert sent(visitor) == "lax=1; strict=1"


def test_a_post_names_its_origin(visitor):
    visitor.get("/form/")
    token = visitor.jar.get("csrftoken").value
    assert visitor.post("/form/", {"csrfmiddlewaretoken": token}).status_code == 200
    with visitor.coming_from("http://evil.example/"):
        assert visitor.post("/form/", {"csrfmiddlewaretoken": token}).status_code == 403


def test_it_fills_in_the_form_on_the_page(visitor):
    response = visitor.submit("/form/", {"a": "x", "b": "2"})
    for field in ("('a', 'x')", "('b', '2')", "('h', '1')", "csrfmiddlewaretoken"):
        assert field in response.content.decode()


def test_it_can_send_a_form_by_get(visitor):
    response = visitor.submit("/echo/", {"q": "x"}, page="/form/")
    assert response.request["QUERY_STRING"] == "q=x"


@pytest.mark.parametrize("data", [{"nothing": "x"}, {"b": "3"}])
def test_it_fills_in_no_form_that_is_not_there(visitor, data):
    with pytest.raises(AssertionError, match=re.escape(repr(data))):
        visitor.submit("/form/", data)


def test_the_clients_session_is_the_jars(visitor):
    visitor.get("/session/", {"cart": "1"})
    assert dict(visitor.session) == {"cart": "1"}
    session = visitor.session
    session["cart"] = "7"
    session.save()
    # With signed cookies, the session key is the data.
    visitor.cookies["sessionid"] = session.session_key
    assert "('cart', '7')" in visitor.get("/session/").content.decode()


def test_logging_out_as_with_the_client_empties_the_jar(visitor):
    visitor.get("/session/", {"cart": "1"})
    visitor.logout()
    assert list(visitor.jar) == []
    assert visitor.get("/session/").content == b"[]"


def test_a_visitor_may_come_over_https():
    visitor = Visitor(host="shop.example", scheme="https")
    assert visitor.get("/secure/").content == b"True"
    assert visitor.jar.get("__Host-a").secure
    assert visitor.exchanges[-1].target.scheme == "https"


def test_a_form_of_another_port_is_of_another_origin(visitor):
    visitor.get("/form/")
    token = {"csrfmiddlewaretoken": visitor.jar.get("csrftoken").value}
    with visitor.coming_from("http://127.0.0.1:9999/page"):
        assert visitor.post("/form/", token).status_code == 403
    with visitor.coming_from("http://127.0.0.1/page"):
        assert visitor.post("/form/", token).status_code == 200


@pytest.mark.parametrize("how", ["xml", "blank", "charset"])
def test_a_page_that_cannot_be_parsed_can_still_be_reported(visitor, how):
    visitor.get(f"/unreadable/{how}/", {"a": "b"})
    assert f"/unreadable/{how}/?a=b" in str(visitor.exchanges[-1])


def test_a_user_can_be_logged_in_as_with_the_client(visitor):
    visitor.jar.store("a=1", visitor.origin)
    visitor.get("/session/", {"cart": "1"})
    user = User(pk=1, username="anu")
    # Force_login() would write last_login, but there is no database here.
    user.save = lambda **_: None
    visitor.force_login(user)
    assert visitor.jar.get("sessionid").path == "/"
    assert visitor.session["cart"] == "1"
    assert visitor.jar.get("a").value == "1"


@pytest.fixture
def anu():
    user = User(pk=1, username="anu")
    user.save = lambda **_: None  # a login would write last_login, but there is no database here
    return user


@pytest.mark.parametrize("way", ["force_login", "aforce_login"])
def test_a_login_sets_the_cookie_that_the_middleware_sets(visitor, settings, anu, way, clock):
    settings.SESSION_COOKIE_SAMESITE = "Strict"
    settings.SESSION_COOKIE_SECURE = True
    settings.SESSION_COOKIE_PATH = "/session"
    settings.SESSION_COOKIE_AGE = 60
    done = getattr(visitor, way)(anu)
    if inspect.isawaitable(done):
        asyncio.run(finish(done))
    given = visitor.jar.get("sessionid")
    visitor.get("/session/", {"cart": "1"})
    served = visitor.jar.get("sessionid")
    assert given.expires == clock.now.timestamp() + 60
    for name in ("path", "secure", "http_only", "same_site", "expires", "host_only"):
        assert getattr(given, name) == getattr(served, name), name


async def finish(awaitable):
    return await awaitable


def test_a_login_may_end_with_the_browser(visitor, settings, anu):
    settings.SESSION_EXPIRE_AT_BROWSER_CLOSE = True
    visitor.force_login(anu)
    assert visitor.jar.get("sessionid").expires is None


# Responses that each fail one of the checks


def test_a_server_error_fails_the_test():
    visitor = Visitor(raise_request_exception=False)
    with pytest.raises(BrokenPromise, match=f"{response_checks.SERVER_ERROR}: .*500"):
        visitor.get("/crash/")


def test_a_crash_shows_the_tests_author_the_exception_itself(visitor):
    with pytest.raises(RuntimeError, match="on purpose"):
        visitor.get("/crash/")


def test_a_traceback_on_a_page_fails_the_test(visitor):
    with pytest.raises(BrokenPromise, match=response_checks.TRACEBACK):
        visitor.get("/traceback/")


def test_a_header_that_no_server_can_send_fails_the_test(visitor):
    with pytest.raises(BrokenPromise, match=f"{response_checks.HEADER}: X-Name"):
        visitor.get("/header/")


def test_a_cookie_value_that_no_server_can_send_fails_the_test(visitor):
    with pytest.raises(BrokenPromise, match=f"{response_checks.HEADER}: Set-Cookie"):
        visitor.get("/cookie/", {"name": "a", "value": "अनु"})


@pytest.mark.parametrize("value", ["a;b", "a,b", "a b", 'a"b', "a\\b"])
def test_a_cookie_outside_of_the_grammar_fails_the_test(visitor, value):
    with pytest.raises(BrokenPromise, match=response_checks.SET_COOKIE_GRAMMAR):
        visitor.get("/cookie/", {"name": "a", "value": value})


@pytest.mark.parametrize("line", ["a b=1", "=1", "a", "a=b; Path=/\x01"])
def test_a_cookie_header_outside_of_the_grammar_fails_the_test(visitor, line):
    with pytest.raises(BrokenPromise):
        set_cookie(visitor, line)


def test_a_cookie_of_4096_bytes_passes_and_one_of_4097_fails_the_test(visitor):
    visitor.get("/cookie/", {"name": "abc", "value": "x" * 4093})
    assert len(visitor.jar.get("abc").value) == 4093
    with pytest.raises(BrokenPromise, match=f"{response_checks.SET_COOKIE_SIZE}: .* 4097 "):
        visitor.get("/cookie/", {"name": "abc", "value": "x" * 4094})


@pytest.mark.parametrize(
    "line", ["__Host-a=1", "a=1; SameSite=None", "a=1; Domain=example.com", "__Secure-a=1; Path=/"]
)
def test_a_cookie_that_the_browser_drops_in_silence_fails_the_test(visitor, line):
    with pytest.raises(BrokenPromise, match=response_checks.COOKIE_REFUSED):
        set_cookie(visitor, line)


def test_what_a_test_expects_does_not_fail_it(visitor):
    with visitor.expecting(response_checks.COOKIE_REFUSED):
        set_cookie(visitor, "__Host-a=1")
    with visitor.expecting(response_checks.SERVER_ERROR):
        assert visitor.get("/crash/").status_code == 500
    with pytest.raises(BrokenPromise):
        set_cookie(visitor, "__Host-a=1")


def test_what_a_test_expects_has_to_happen(visitor):
    with (
        pytest.raises(BrokenPromise, match=f"{response_checks.SERVER_ERROR}$"),
        visitor.expecting(response_checks.SERVER_ERROR),
    ):
        visitor.get("/")


def test_only_promises_that_exist_can_be_expected(visitor):
    with pytest.raises(ValueError, match="rain"), visitor.expecting("rain"):
        pass


def test_a_broken_promise_shows_the_exchange(visitor):
    set_cookie(visitor, "a=1; Path=/")
    with pytest.raises(BrokenPromise) as caught:
        visitor.get("/traceback/")
    assert "GET http://127.0.0.1/traceback/\n  Cookie: a=1\n  200 OK, text/html" in str(
        caught.value
    )
