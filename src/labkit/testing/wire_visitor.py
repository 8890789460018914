"""A visitor that sends requests, including arbitrary bytes, to a real server."""

import contextlib
import socket
import time
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from django.conf import settings
from django.http import HttpHeaders, HttpResponse
from django.test import Client
from django.utils.encoding import force_bytes
from django.utils.http import urlencode

from labkit.http.message import build_request, parse_response
from labkit.http.origin import Origin
from labkit.testing import forms
from labkit.testing.base_visitor import BaseVisitor, raw_target
from labkit.testing.jar_cookies import read_set_cookie

LIMIT = 30  # seconds for one exchange


class InProcessOnly:
    """An attribute that works only in this process, and raises AttributeError over a socket."""

    def __init__(self, instead: str) -> None:
        self._instead = instead

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> "InProcessOnly":
        if instance is None:
            return self
        raise AttributeError(f"{self._name}: the site runs in another process. {self._instead}")


_LOOK_AT_PAGE = "Look at the response's content and headers."
_LOOK_AT_JAR = "Use the site's pages, or look at visitor.jar."
_USE_FORM = "Use the site's own form, with submit()."


class WireResponse(HttpResponse):
    """A server's response, with those attributes of a Client response that work over a socket."""

    client: "WireVisitor"
    request: dict[str, Any]  # PATH_INFO, QUERY_STRING and REQUEST_METHOD
    context = InProcessOnly(_LOOK_AT_PAGE)
    templates = InProcessOnly(_LOOK_AT_PAGE)
    resolver_match = InProcessOnly(_LOOK_AT_PAGE)
    exc_info = InProcessOnly("Look at the server's log.")
    wsgi_request = InProcessOnly("Look at response.exchange.")

    @property
    def url(self) -> str:
        """Return the Location header of a redirect."""
        return str(self.headers["Location"])


class WireVisitor(BaseVisitor, Client):
    """A browser that opens a new connection to a real server for each request.

    This visitor has the methods of django.test.Client, and `send()` for any other request.
    Attributes that would need the site to run in this process raise AttributeError.
    """

    session = InProcessOnly(_LOOK_AT_JAR)
    asession = InProcessOnly(_LOOK_AT_JAR)
    login = InProcessOnly(_USE_FORM)
    alogin = InProcessOnly(_USE_FORM)
    force_login = InProcessOnly(_USE_FORM)
    aforce_login = InProcessOnly(_USE_FORM)
    logout = InProcessOnly(_USE_FORM)
    alogout = InProcessOnly(_USE_FORM)

    def __init__(
        self, port: int, host: str = "127.0.0.1", server: str = "", **options: Any
    ) -> None:
        """Create a browser for the server on a port of this machine.

        host: the host in URLs, without a port. server: the server's program, such as "waitress", if
        known. options: headers, query_params, json_encoder and HTTP_…, as in Client.

        Raises ValueError if the host is invalid, or for any other argument of Client.
        """
        for name in options.keys() - {"headers", "query_params", "json_encoder"}:
            _header_name(name)
        BaseVisitor.__init__(self, host, "http", port)
        Client.__init__(self, **options)
        self.port = port
        self.server = server
        self._arguments = (port, host, server), options

    def new_visitor(self) -> "WireVisitor":
        """Return another visitor of this server, with an empty jar."""
        arguments, options = self._arguments
        return type(self)(*arguments, **options)

    def send(
        self,
        method: str,
        path: str | bytes,
        body: bytes = b"",
        headers: Mapping[str, str | bytes | None] | None = None,
    ) -> WireResponse:
        """Send any request, with additional headers; the value None removes a default header.

        Raises BrokenPromise if the response breaks a promise, and OSError or
        http.client.HTTPException if the server closes the connection early, takes longer than LIMIT
        seconds or does not send HTTP.
        """
        raw_path = raw_target(path)
        headers = {name.title(): value for name, value in (headers or {}).items()}
        raw, _, query = raw_path.partition(b"?")
        target = Origin("http", self.origin.host, raw.decode("latin-1"))
        own = headers.pop("Cookie") or b"" if "Cookie" in headers else None
        exchange = self._begin(method, target, self.host, raw_path.decode("latin-1"), own)
        usual: dict[str, str | bytes | None] = {"Host": self.host, "Connection": "close"}
        usual["Cookie"] = exchange.cookie_bytes or None
        usual["Origin"] = exchange.origin or None
        if method == "POST":
            usual["Content-Type"] = forms.URLENCODED
        if body or method in {"POST", "PUT", "PATCH"}:
            usual["Content-Length"] = str(len(body))
        message = build_request(method, raw_path, usual | headers, body)
        response, set_cookies = self._exchange(method, message)
        response.client = self
        response.json = partial(self._parse_json, response)
        response.request = {
            "REQUEST_METHOD": method,
            "PATH_INFO": unquote_to_bytes(raw).decode("latin-1"),
            "QUERY_STRING": query.decode("latin-1"),
        }
        self._finish(exchange, response, set_cookies)
        return response

    def _exchange(self, method: str, message: bytes) -> tuple[WireResponse, list[str]]:
        """Send a message, and read until the server closes the connection or LIMIT has passed."""
        deadline = time.monotonic() + LIMIT
        with socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT) as connection:
            # A server may refuse a request before it has read all of it, and still send a response.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(message)
            received = b""
            with contextlib.suppress(ConnectionResetError):
                while part := connection.recv(65536):
                    received += part
                    connection.settimeout(max(0.001, deadline - time.monotonic()))
        parsed = parse_response(received, method)
        response = WireResponse(parsed.read(), status=parsed.status, reason=parsed.reason)
        del response.headers["Content-Type"]  # Django's own default
        for name, value in parsed.getheaders():
            # Values with the same name are joined (RFC 9110, section 5.3).
            if name.lower() != "set-cookie":
                before = response.headers.get(name)
                response.headers[name] = f"{before}, {value}" if before else value
        set_cookies = parsed.headers.get_all("Set-Cookie") or []
        for morsel in map(read_set_cookie, set_cookies):
            dict.__setitem__(response.cookies, morsel.key, morsel)
        return response, set_cookies

    def generic(
        self,
        method: str,
        path: str,
        data: Any = "",
        content_type: str | None = "application/octet-stream",
        secure: bool = False,
        *,
        headers: Mapping[str, Any] | None = None,
        query_params: Mapping[str, Any] | None = None,
        **extra: Any,
    ) -> WireResponse:
        """Send a request as Client does.

        Raises ValueError if the request cannot be sent, and AssertionError if the URL is another
        server's.
        """
        path = self._without_own_site(str(path)).partition("#")[0]
        if urlsplit(path).netloc:
            raise AssertionError(f"{path} is the URL of another server.")
        if secure:
            raise ValueError("A wire visitor does not support TLS, so secure=True cannot be used.")
        environ = extra | HttpHeaders.to_wsgi_names(headers or {})
        query = urlencode(query_params or {}, doseq=True) or environ.pop("QUERY_STRING", "")
        environ = self.defaults | environ
        default_query = environ.pop("QUERY_STRING", "")
        path, _, own_query = path.partition("?")
        if query := query or own_query or default_query:
            path = f"{path}?{query}"
        body = force_bytes(data, settings.DEFAULT_CHARSET)
        fields = {_header_name(name): value for name, value in environ.items()}
        if body:
            fields.setdefault("Content-Type", content_type)
        return self.send(method, path, body, fields)


def _header_name(variable: str) -> str:
    """Return the header that a WSGI variable stands for. Raise ValueError if there is none."""
    name = HttpHeaders.parse_header_name(variable)
    if name is None:
        raise ValueError(f"{variable} cannot be sent to a server in another process.")
    return str(name)
