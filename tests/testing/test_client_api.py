"""Test that both visitors behave as documented for django.test.Client, or raise an error.

https://docs.djangoproject.com/en/5.2/topics/testing/tools/#the-test-client
"""

import inspect
import io
import json
import threading

import pytest
import waitress
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client
from django.test.client import RedirectCycleError

from labkit.http.set_cookie import CookieRefusal
from labkit.testing import BrokenPromise, Visitor, WireVisitor

METHODS = ["get", "post", "head", "options", "put", "patch", "delete", "trace"]
WITH_BODY = ["post", "options", "put", "patch", "delete"]


@pytest.fixture(scope="module")
def port():
    """The port of a real server for the pages of misbehaving.py."""
    server = waitress.create_server(WSGIHandler(), host="127.0.0.1", port=0, threads=1)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield int(server.effective_port)
    server.close()
    thread.join(10)


@pytest.fixture(params=["in this process", "over a socket"])
def new(request, port):
    """A function that takes Client's arguments and returns a visitor, of either kind."""
    if request.param == "in this process":
        return Visitor
    return lambda **options: WireVisitor(port, **options)


@pytest.fixture
def client(new):
    return new()


def received(response):
    return json.loads(response.content)


class TestRequests:
    @pytest.mark.parametrize("method", METHODS)
    def test_every_method_takes_the_arguments_of_client(self, client, method):
        ours = inspect.signature(getattr(client, method))
        assert ours == inspect.signature(getattr(Client(), method))
        response = getattr(client, method)("/received/", query_params={"a": ["1", "2"]})
        assert response.status_code == 200
        if method != "head":
            assert received(response)["method"] == method.upper()
            assert received(response)["get"] == {"a": ["1", "2"]}

    def test_a_query_may_be_given_in_each_way(self, client):
        for arguments in (
            {"path": "/received/?a=%C3%A9"},
            {"path": "/received/", "data": {"a": "é"}},
            {"path": "/received/?b=1", "query_params": {"a": "é"}},
            {"path": "/received/", "QUERY_STRING": "a=%C3%A9"},
        ):
            assert received(client.get(**arguments))["get"] == {"a": ["é"]}

    @pytest.mark.parametrize("method", WITH_BODY)
    def test_json_is_encoded(self, client, method):
        send = getattr(client, method)
        data = json.dumps({"a": 1}) if method == "options" else {"a": 1}
        seen = received(send("/received/", data, content_type="application/json"))
        assert json.loads(seen["body"]) == {"a": 1}
        assert seen["meta"]["CONTENT_TYPE"] == "application/json"

    def test_a_json_encoder_can_be_chosen(self, new):
        class Encoder(json.JSONEncoder):
            def default(self, value):
                return "other"

        seen = new(json_encoder=Encoder).post("/received/", {"a": {1}}, "application/json")
        assert json.loads(received(seen)["body"]) == {"a": "other"}

    def test_a_post_has_lists_and_files(self, client):
        file = io.BytesIO("ö".encode())
        file.name = "a.txt"
        seen = received(client.post("/received/", {"a": ["1", "2"], "file": file}))
        assert seen["post"] == {"a": ["1", "2"]}
        assert seen["files"] == {"file": ["a.txt", "ö"]}

    def test_a_file_is_sent_again_after_a_307(self, client):
        file = io.BytesIO(b"content")
        seen = received(client.post("/received/307/", {"file": file}, follow=True))
        assert seen["files"] == {"file": ["file", "content"]}

    def test_headers_are_sent_by_each_name(self, client):
        for arguments in ({"headers": {"x-name": "1"}}, {"HTTP_X_NAME": "1"}):
            assert received(client.get("/received/", **arguments))["meta"]["HTTP_X_NAME"] == "1"

    def test_defaults_count_for_each_request(self, new):
        client = new(headers={"x-name": "1", "cookie": "a=b"}, query_params={"q": "1"})
        for method in ("get", "post"):
            seen = received(getattr(client, method)("/received/"))
            assert (seen["meta"]["HTTP_X_NAME"], seen["get"]) == ("1", {"q": ["1"]})
        assert client.get("/echo/").content == b"a=b"
        again = received(client.new_visitor().get("/received/?q=2", headers={"x-name": "2"}))
        assert (again["meta"]["HTTP_X_NAME"], again["get"]) == ("2", {"q": ["2"]})

    def test_a_path_may_have_any_characters(self, client):
        assert received(client.get("/received/?q=a b#c"))["get"] == {"q": ["a b"]}
        assert client.get("/é/").status_code == 404

    @pytest.mark.parametrize("raw", [b"//received/", b"/received/?a=\xff", b"/re%63eived/"])
    def test_a_raw_path_is_sent_as_it_is(self, client, raw):
        response = client.send("GET", raw)
        path, _, query = raw.decode("latin-1").partition("?")
        assert response.request["PATH_INFO"] == path.replace("%63", "c")
        assert response.request["QUERY_STRING"] == query

    @pytest.mark.parametrize("name", ["Cookie", "Origin"])
    def test_a_usual_header_can_be_left_out(self, client, name):
        client.get("/set-cookie/", {"line": "a=1; Path=/"})
        response = client.send("POST", "/received/", headers={name: None})
        assert "HTTP_ORIGIN" in received(response)["meta"] or name == "Origin"
        cookie = client.send("POST", "/echo/", headers={name: None, "X-CSRFToken": ""}).content
        assert client.exchanges[-1].cookie_bytes == (b"" if name == "Cookie" else b"a=1")
        assert b"a=1" not in cookie


class TestRedirects:
    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_they_are_followed_with_the_right_method(self, client, method, status):
        body = {"data": "x", "content_type": "text/plain"} if method in WITH_BODY else {}
        url = f"/received/{status}/?to=/received/%3Fq%3D1"
        response = getattr(client, method)(url, follow=True, **body)
        assert response.redirect_chain == [("/received/?q=1", status)]
        expected = method.upper() if status >= 307 else "GET"
        assert response.request["REQUEST_METHOD"] == expected
        if expected != "HEAD":
            seen = received(response)
            assert (seen["method"], seen["get"]) == (expected, {"q": ["1"]})
            assert seen["body"] == ("x" if body and status >= 307 else "")

    def test_the_first_query_is_not_sent_again(self, client):
        for arguments in ({"data": {"to": "/received/"}}, {"query_params": {"to": "/received/"}}):
            for status in (302, 307):
                response = client.get(f"/received/{status}/", follow=True, **arguments)
                assert received(response)["get"] == {}

    def test_a_relative_one_is_resolved(self, client):
        response = client.get("/received/302/?to=../../echo/", follow=True)
        assert response.request["PATH_INFO"] == "/echo/"

    def test_a_circle_is_an_error_with_its_chain(self, client):
        with pytest.raises(RedirectCycleError) as caught:
            client.get("/circle/", follow=True)
        assert caught.value.redirect_chain[0] == ("/circle/", 302)


class TestResponses:
    def test_they_know_their_client_and_request(self, client):
        response = client.post("/received/?q=1")
        assert response.client is client
        assert response.request["REQUEST_METHOD"] == "POST"
        assert response.request["PATH_INFO"] == "/received/"
        assert response.request["QUERY_STRING"] == "q=1"
        assert not hasattr(response, "redirect_chain")

    def test_they_parse_json_and_nothing_else(self, client):
        assert client.get("/received/").json()["path"] == "/received/"
        assert client.get("/received/").json(parse_int=str)
        with pytest.raises(ValueError, match="application/json"):
            client.get("/").json()

    def test_they_have_their_cookies(self, client):
        response = client.get("/cookie/", {"name": "a", "value": "1"})
        assert response.cookies["a"].value == "1"
        assert response.cookies["a"]["path"] == "/"

    def test_over_a_socket_they_have_what_was_sent(self, port):
        response = WireVisitor(port).get("/received/")
        assert response.headers["Content-Type"] == "application/json"
        assert response.reason_phrase == "OK"

    @pytest.mark.parametrize(
        "name", ["context", "templates", "exc_info", "resolver_match", "wsgi_request"]
    )
    def test_over_a_socket_the_rest_raises(self, port, name):
        assert hasattr(Visitor().get("/"), name)
        with pytest.raises(AttributeError, match=f"{name}: "):
            getattr(WireVisitor(port).get("/"), name)


class TestWhatASocketCannotDo:
    @pytest.mark.parametrize(
        "name",
        [
            *("session", "asession", "login", "alogin"),
            *("force_login", "aforce_login", "logout", "alogout"),
        ],
    )
    def test_what_needs_the_process_raises(self, port, name):
        with pytest.raises(AttributeError, match=f"{name}: "):
            getattr(WireVisitor(port), name)

    @pytest.mark.parametrize(
        "option", ["enforce_csrf_checks", "raise_request_exception", "SERVER_NAME", "REMOTE_ADDR"]
    )
    def test_other_arguments_are_refused(self, port, option):
        with pytest.raises(ValueError, match=option):
            WireVisitor(port, **{option: False})

    @pytest.mark.parametrize("option", ["secure", "REMOTE_ADDR", "SCRIPT_NAME"])
    def test_a_request_that_cannot_be_sent_is_refused(self, port, option):
        with pytest.raises(ValueError, match=option):
            WireVisitor(port).get("/", **{option: "1"})

    @pytest.mark.parametrize("host", ["127.0.0.1:80", "https://127.0.0.1", "", "a b"])
    def test_a_host_has_no_port_and_no_tls(self, port, host):
        with pytest.raises(ValueError, match=r"host|scheme|port"):
            WireVisitor(port, host)


class TestSites:
    @pytest.mark.parametrize(
        ("arguments", "scheme", "host"),
        [
            ({"host": "127.0.0.1:8000"}, "http", "127.0.0.1:8000"),
            ({"host": "::1"}, "http", "[::1]"),
            ({"host": "[::1]:8000"}, "http", "[::1]:8000"),
            ({"host": "Shop.Example"}, "http", "shop.example"),
            ({"host": "https://shop.example/"}, "https", "shop.example"),
            ({"host": "https://shop.example:443"}, "https", "shop.example"),
            ({"host": "http://shop.example:81", "scheme": "http"}, "http", "shop.example:81"),
            ({"SERVER_NAME": "shop.example"}, "http", "shop.example"),
            ({"HTTP_HOST": "shop.example"}, "http", "shop.example"),
            ({"headers": {"host": "shop.example"}, "scheme": "https"}, "https", "shop.example"),
            ({"host": "shop.example", "scheme": "https"}, "https", "shop.example"),
        ],
    )
    def test_a_site_is_named_in_each_way(self, arguments, scheme, host):
        visitor = Visitor(**arguments)
        seen = received(visitor.post("/received/"))
        assert (seen["meta"]["wsgi.url_scheme"], seen["host"]) == (scheme, host)
        assert seen["meta"]["HTTP_ORIGIN"] == f"{scheme}://{host}"
        visitor.get("/set-cookie/", {"line": "a=1; Path=/"})
        assert visitor.cookies["a"].value == "1"
        assert visitor.new_visitor().host == host

    @pytest.mark.parametrize(
        "arguments",
        [
            {"host": "a b"},
            {"host": "shop.example/path"},
            {"host": "https://anu@shop.example"},
            {"host": "ftp://shop.example"},
            {"host": "shop.example:port"},
            {"host": "[::1"},
            {"host": "https://shop.example", "scheme": "http"},
            {"host": "shop.example", "SERVER_NAME": "other.example"},
            {"SERVER_PORT": "8000"},
            {"wsgi.url_scheme": "https"},
        ],
        ids=str,
    )
    def test_anything_else_is_refused(self, arguments):
        with pytest.raises(ValueError, match=r"."):
            Visitor(**arguments)

    def test_a_host_is_text(self):
        with pytest.raises(TypeError):
            Visitor(True)  # Client's first argument

    def test_csrf_checks_can_be_turned_off(self):
        assert Visitor().post("/form/").status_code == 403
        assert Visitor(enforce_csrf_checks=False).post("/form/").status_code == 200

    def test_a_request_may_go_to_another_host(self, visitor):
        for arguments in ({"path": "https://a.example/received/"}, {"SERVER_NAME": "a.example"}):
            seen = received(visitor.get(**{"path": "/received/"} | arguments))
            assert seen["host"] == "a.example"
        assert Visitor("a.example:8000").get("/", SERVER_NAME="b.example").status_code == 200
        with pytest.raises(ValueError, match=r"//a\.example"):
            visitor.get("//a.example/")

    def test_a_redirect_to_another_host_has_its_port(self, visitor):
        response = visitor.get("/received/302/?to=https://a.example:81/received/", follow=True)
        assert received(response)["host"] == "a.example:81"
        assert received(response)["meta"]["wsgi.url_scheme"] == "https"

    def test_a_relative_redirect_stays_on_its_site(self):
        response = Visitor().get("/received/302/", secure=True, follow=True)
        assert received(response)["meta"]["wsgi.url_scheme"] == "https"
        there = "https://a.example/received/302/%3Fto=/received/"
        response = Visitor().get(f"/received/302/?to={there}", follow=True)
        assert received(response)["host"] == "a.example"

    def test_a_script_name_is_part_of_the_path(self):
        visitor = Visitor(SCRIPT_NAME="/app")
        visitor.get("/set-cookie/", {"line": "a=1"})
        assert visitor.jar.get("a").path == "/app/set-cookie"
        assert received(visitor.post("/received/"))["meta"]["HTTP_ORIGIN"] == "http://127.0.0.1"


class TestOrigins:
    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options", "trace"])
    def test_every_method_names_it_but_get_and_head(self, client, method):
        own = f"http://{client.host}"
        assert received(getattr(client, method)("/received/"))["meta"]["HTTP_ORIGIN"] == own
        with client.coming_from("https://Evil.example:443/page"):
            response = client.send(method.upper(), "/received/")
        assert received(response)["meta"]["HTTP_ORIGIN"] == "null"  # from https to http

    def test_get_names_none(self, client):
        assert "HTTP_ORIGIN" not in received(client.get("/received/"))["meta"]

    @pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
    def test_a_token_is_enough_over_https(self, method):
        visitor = Visitor("https://shop.example")
        visitor.get("/checked/")
        token = {"x-csrftoken": visitor.jar.get("csrftoken").value}
        assert getattr(visitor, method)("/checked/", headers=token).status_code == 200
        assert getattr(visitor, method)("/checked/").status_code == 403

    def test_a_redirect_keeps_it(self, visitor):
        url = "/received/307/?to=http://a.example/received/"
        response = visitor.post(url, follow=True)
        assert received(response)["meta"]["HTTP_ORIGIN"] == "http://127.0.0.1"

    def test_a_redirect_to_another_site_carries_no_strict_cookie(self):
        visitor = Visitor("a.example")
        with visitor.coming_from("http://a.example/"):
            line = {"line": "a=1; SameSite=Strict; Path=/"}
            visitor.get("http://b.example/set-cookie/", line)
        visitor.post("/received/302/?to=http://b.example/echo/", follow=True)
        assert visitor.exchanges[-1].cookie_bytes == b""


class TestErrors:
    def test_expecting_something_else_raises_no_exception_of_the_view(self):
        visitor = Visitor(raise_request_exception=False)
        with pytest.raises(BrokenPromise, match="500"), visitor.expecting("illegal Set-Cookie"):
            visitor.get("/crash/")


@pytest.mark.parametrize("value", ["a;b", "a\r\nSet-Cookie: b=1", "\0"])
def test_no_cookie_is_edited_into_two(visitor, value):
    visitor.get("/set-cookie/", {"line": "a=1; Path=/"})
    with pytest.raises(ValueError, match="No cookie"):
        visitor.edit_cookie("a", value)


def test_of_two_cookies_the_right_one_is_edited(visitor):
    for path in ("/", "/a"):
        visitor.get("/set-cookie/", {"line": f"a=1; Path={path}"})
    with pytest.raises(ValueError, match="2 cookies"):
        visitor.edit_cookie("a", "2")
    visitor.edit_cookie(next(each for each in visitor.jar if each.path == "/a"), "2")
    assert visitor.get("/a/echo/").content == b"a=2; a=1"


def test_bytes_of_a_cookie_come_back_as_they_were(client):
    for value in ("Émile", "अ"):
        raw = value.encode()
        with client.expecting("illegal Set-Cookie"):
            client.get("/set-cookie/", {"line": f"a={raw.decode('latin-1')}; Path=/"})
        assert client.exchanges[-1].response.status_code == 200
        assert client.jar.get("a").value == value
        client.get("/echo/")
        assert client.exchanges[-1].cookie_bytes == b"a=" + raw


def test_a_login_that_a_browser_would_refuse_is_refused(settings):
    settings.SESSION_COOKIE_SECURE = True
    with pytest.raises(CookieRefusal):
        Visitor("shop.example").session  # noqa: B018
