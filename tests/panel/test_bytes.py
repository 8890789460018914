"""The panel shows the same bytes that were received and sent."""

import subprocess

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from labkit import cookie_report
from labkit.panel import cookie_explanations, curl
from labkit.panel.exchange_log import log
from labkit.panel.middleware import LONGEST_COOKIES, is_secret, observe
from labkit.text_format import Shell

PAGE = "<!doctype html><body>fine</body>"


@pytest.fixture
def exchange_of(monkeypatch):
    """Send a request through the panel's middleware; return the recorded exchange."""
    monkeypatch.setenv("LAB_PANEL", "1")

    def record(response=None, path="/", method="get", read=False, **environ):
        def view(request):
            if read:
                request.POST  # noqa: B018 most views with a form read it
            return response or HttpResponse(PAGE)

        request = getattr(RequestFactory(), method)(path, **environ)
        observe(view)(request)
        return log.newest()[0]

    yield record
    log.clear()


def with_header(line):
    return HttpResponse(PAGE, headers={"Set-Cookie": line})


def shown(exchange):
    (cookie,) = cookie_explanations.response_cookies(exchange)
    return cookie


def meaning(cookie, name):
    return {attribute: meaning for attribute, _, meaning in cookie.attributes}[name]


class TestSetCookie:
    def test_one_set_as_a_header_counts(self, exchange_of):
        exchange = exchange_of(with_header("raw=1; Path=/"))
        assert exchange.set_cookie_names() == ["raw"]
        response = with_header("raw=1")
        response.set_cookie("a", "2")
        assert exchange_of(response).set_cookie_names() == ["raw", "a"]

    def test_attributes_need_no_space_before_them(self, exchange_of):
        cookie = shown(exchange_of(with_header("a=1;Path=/a;HTTPONLY;  max-age=60")))
        assert [text for _, text, _ in cookie.attributes] == [
            "Max-Age=60",
            "Path=/a",
            "no Domain",
            "HttpOnly",
            "no Secure",
            "no SameSite",
        ]
        assert cookie.life.whole == pytest.approx(60)

    def test_a_name_and_value_are_shown_and_counted_as_sent(self, exchange_of):
        raw = "n=Émile".encode().decode("latin-1")
        cookie = shown(exchange_of(with_header(raw)))
        assert (cookie.line, cookie.size) == ("n=Émile", 7)
        assert shown(exchange_of(with_header("only a value"))).name == ""

    @pytest.mark.parametrize(
        ("line", "deletion"),
        [
            ("a=; Max-Age=0; Path=/", "sent"),
            ("a=; expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/shop", "sent"),
            ("a=; Max-Age=0; Path=/shop/cart", "other-path"),
            ("a=; Max-Age=0; Path=/other", "other-path"),
            ("b=; Max-Age=0; Path=/", "not-sent"),
            ("a=1; Path=/max-age=0", ""),
            ("a=; Max-Age=0; Domain=other.example", ""),
        ],
    )
    def test_a_deletion_is_told_from_a_wish(self, exchange_of, line, deletion):
        cookie = shown(exchange_of(with_header(line), "/shop/", HTTP_COOKIE="a=1"))
        assert cookie.deletion == deletion
        assert bool(cookie.deletion_text) == bool(deletion)

    @pytest.mark.parametrize(
        ("attributes", "days"),
        [
            ("expires=Fri, 01 Jan 2100 00:00:00 GMT", 400),
            ("Max-Age=315360000", 400),
            ("Max-Age=86400; expires=Fri, 01 Jan 2100 00:00:00 GMT", 1),
            ("Max-Age=ten; expires=Fri, 01 Jan 2100 00:00:00 GMT", 400),
            ("expires=tomorrow", None),
            ("Max-Age=ten", None),
        ],
    )
    def test_a_life_is_the_browsers(self, exchange_of, attributes, days):
        cookie = shown(exchange_of(with_header(f"a=1; {attributes}")))
        assert (cookie.life and round(cookie.life.whole / 86400)) == days
        assert ("400 days" in cookie.attributes[0][2]) == (days == 400)

    def test_what_is_refused_has_no_life(self, exchange_of):
        cookie = shown(exchange_of(with_header("a=1; Max-Age=60; Domain=other.example")))
        assert cookie.refusal
        assert cookie.life is None
        assert meaning(cookie, "Max-Age") == cookie_report.REFUSED

    def test_a_path_that_is_none_is_the_requests(self, exchange_of):
        exchange = exchange_of(with_header("a=1; Path=shop"), "/cart/add/")
        assert "/cart/add " in meaning(shown(exchange), "Path")

    @pytest.mark.parametrize("host", ["[::1]", "[::1]:8003", "127.0.0.1", "LOCALHOST:8003"])
    def test_any_host_keeps_its_cookies(self, exchange_of, host):
        assert not shown(exchange_of(with_header("a=1; Path=/; Secure"), HTTP_HOST=host)).refusal


class TestRedirects:
    def test_a_location_of_another_status_leads_nowhere(self, exchange_of):
        made = HttpResponse(PAGE, status=201, headers={"Location": "/new/"})
        assert exchange_of(made).location == ""
        moved = HttpResponse(status=302, headers={"Location": "/new/"})
        assert exchange_of(moved).location == "/new/"

    @pytest.mark.parametrize(("sent", "follows"), [("a=1", True), ("", True), ("a=2", False)])
    def test_a_deletion_may_miss_its_cookie(self, exchange_of, sent, follows):
        moved = HttpResponse(status=302, headers={"Location": "/new/"})
        moved.delete_cookie("a", path="/elsewhere")
        first = exchange_of(moved, HTTP_COOKIE="a=1")
        second = exchange_of(path="/new/", **{"HTTP_COOKIE": sent} if sent else {})
        assert (second.redirect is first) == follows


class TestBars:
    @pytest.mark.parametrize(
        ("response", "reason"),
        [
            (HttpResponse(PAGE), ""),
            (HttpResponse("<BODY>fine</BODY >", content_type="TEXT/HTML"), ""),
            (HttpResponse("fine"), "no-end"),
            (HttpResponse(PAGE, headers={"Content-Encoding": "gzip"}), "encoded"),
            (StreamingHttpResponse([PAGE]), "streams"),
            (HttpResponse("fine", content_type="text/plain"), ""),
            (HttpResponse(status=302), ""),
        ],
    )
    def test_a_page_without_one_has_a_reason(self, exchange_of, response, reason):
        assert exchange_of(response).no_bar == reason
        html = response.get("Content-Type", "").lower().startswith("text/html")
        has_bar = not response.streaming and b"summary-bar" in response.content
        assert has_bar == (html and not reason and response.status_code == 200)


class TestCurl:
    def sent(self, exchange):
        """Return the arguments that a POSIX shell passes to curl, as bytes."""
        line = curl.command(exchange, Shell.POSIX)
        script = f"curl() {{ printf '%s\\0' \"$@\"; }}; {line}"
        done = subprocess.run(["sh", "-c", script], capture_output=True, check=True)
        return done.stdout.split(b"\0")[:-1]

    @pytest.mark.parametrize(
        "cookies", ["n=Émile".encode(), b"n=\xff\xfe; a='$(id)' %d \\x", b"n=\x01", b"a=1"]
    )
    def test_it_sends_the_same_cookies(self, exchange_of, cookies):
        exchange = exchange_of(HTTP_COOKIE=cookies.decode("latin-1"))
        assert b"Cookie: " + cookies in self.sent(exchange)

    @pytest.mark.parametrize(
        ("environ", "url"),
        [
            ({"PATH_INFO": "/é".encode().decode("latin-1")}, "/%C3%A9"),
            ({"PATH_INFO": "/\xff%2"}, "/%FF%252"),
            ({"QUERY_STRING": "a=Ã©&b=%41+c"}, "/?a=%C3%A9&b=%41+c"),
            ({"QUERY_STRING": "a[]={1}"}, "/?a[]={1}"),
            ({"PATH_INFO": "/a/../b"}, "/a/../b"),
        ],
    )
    def test_it_sends_the_same_target(self, exchange_of, environ, url):
        words = self.sent(exchange_of(**environ))
        assert words[-1] == f"http://testserver{url}".encode()
        assert (b"--globoff" in words) == ("[" in url)
        assert (b"--path-as-is" in words) == (".." in url)

    @pytest.mark.parametrize(
        ("arguments", "lacks"),
        [
            ({"data": {"a": "1"}, "read": True}, []),
            ({"data": {"password": "1"}, "read": True}, ["secrets"]),
            ({"data": {"a": "x" * 3000}, "read": True}, ["body"]),
            ({"data": "{}", "content_type": "application/json"}, ["body"]),
            ({"HTTP_COOKIE": "a=" + "x" * LONGEST_COOKIES}, ["cut", "body"]),
        ],
    )
    def test_it_says_what_it_lacks(self, exchange_of, arguments, lacks):
        exchange = exchange_of(method="post", **arguments)
        assert {key for key, _ in curl.missing(exchange, Shell.POSIX)} == set(lacks)

    def test_another_shell_cannot_send_every_byte(self, exchange_of):
        exchange = exchange_of(HTTP_COOKIE="a=\xff")
        assert dict(curl.missing(exchange, Shell.CMD))["bytes"]
        assert curl.command(exchange, Shell.CMD)


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        *((name, True) for name in ("pin", "PIN", "user_pin", "pin2", "userPin", "pin-code")),
        *((name, True) for name in ("password", "password1", "newpassword", "oldPassword", "PWD")),
        *((name, True) for name in ("secret", "client_secret", "pass", "passphrase", "passwd")),
        *((name, False) for name in ("shipping", "opinion", "spinach", "compass", "passenger")),
        *((name, False) for name in ("secretary", "pinned", "topping", "name", "", "é")),
    ],
)
def test_a_secret_is_a_whole_word_of_a_name(name, secret):
    assert is_secret(name) == secret
