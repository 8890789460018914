"""A visitor in this process: django.test.Client with the cookie rules of a real browser."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote
from wsgiref.util import application_uri

from django.conf import settings
from django.http import HttpResponseBase
from django.http.request import validate_host
from django.test import Client

from labkit.http.jar import Jar
from labkit.http.origin import Origin
from labkit.testing import response_checks
from labkit.testing.base_visitor import BaseVisitor, Exchange


class Visitor(BaseVisitor, Client):
    """A django.test.Client that stores, sends and drops cookies as RFC 6265bis says.

    CSRF protection is on. Each response is checked (see labkit.testing.response_checks); a test
    that expects a fault uses `expecting()`.
    """

    raise_request_exception: bool  # of Client
    server = ""  # requests stay in this process

    def __init__(self, host: str = "", scheme: str = "http", **defaults: Any) -> None:
        """The default host is 127.0.0.1, or testserver if ALLOWED_HOSTS does not allow it."""
        if not host:
            local = "127.0.0.1"
            host = local if validate_host(local, settings.ALLOWED_HOSTS) else "testserver"
        self._requesting = False
        BaseVisitor.__init__(self, Origin(scheme, host))
        Client.__init__(self, enforce_csrf_checks=True, SERVER_NAME=host, **defaults)
        self._under_way: Exchange

    def new_visitor(self) -> "Visitor":
        """Return another visitor of this site, with an empty jar."""
        return type(self)(self.origin.host, self.origin.scheme)

    # What django.test.Client uses in `session`, login(), force_login() and logout()

    @property
    def cookies(self) -> SimpleCookie:
        """The jar's cookies for this site, as Client has them; a cookie set here is stored."""
        return SimpleCookie() if self._requesting else _JarView(self.jar, self.origin)

    @cookies.setter
    def cookies(self, value: SimpleCookie) -> None:
        self.jar.clear()  # Client.logout() sets an empty SimpleCookie

    # One exchange

    def _base_environ(self, **request: Any) -> dict[str, Any]:
        environ = super()._base_environ(**request)
        del environ["HTTP_COOKIE"]  # from Client's own cookies, which are empty
        target = _target(environ)
        exchange = self._begin(environ["REQUEST_METHOD"], target, request.get("HTTP_COOKIE"))
        if exchange.cookie_bytes:  # WSGI decodes headers as Latin-1
            environ["HTTP_COOKIE"] = exchange.cookie_bytes.decode("latin-1")
        if exchange.method == "POST" and "HTTP_ORIGIN" not in environ:
            # Browsers name the page's origin with every POST, and Django's CSRF check reads it.
            environ["HTTP_ORIGIN"] = self._came_from or application_uri(environ).removesuffix("/")
        query = environ.get("QUERY_STRING")
        exchange.address = f"{target.path}?{query}" if query else target.path
        self._under_way = exchange
        return environ

    def request(self, **request: Any) -> HttpResponseBase:
        """Send a request with its cookies; store and check the response. Raises BrokenPromise."""
        self._requesting = True
        try:
            response = super().request(**request)
        finally:
            self._requesting = False
        self._finish(self._under_way, response, response_checks.set_cookie_lines(response))
        return response

    def generic(
        self,
        method: str,
        path: str,
        data: Any = "",
        content_type: str | None = "application/octet-stream",
        secure: bool = False,
        **kwargs: Any,
    ) -> HttpResponseBase:
        """Send a request as Client does, by https if the visitor's site uses it."""
        secure = secure or self.origin.scheme == "https"
        return super().generic(method, path, data, content_type, secure, **kwargs)

    def send(
        self,
        method: str,
        path: str | bytes,
        body: bytes = b"",
        headers: Mapping[str, str | bytes | None] | None = None,
    ) -> HttpResponseBase:
        """Send a request with these headers added, as WireVisitor.send() does.

        Bytes reach the lab as a server would pass them on. Raises BrokenPromise.
        """
        extra: dict[str, Any] = {}
        for name, value in (headers or {}).items():
            if value is None:  # a server fills in what is left out
                continue
            key = f"HTTP_{name.upper().replace('-', '_')}"
            if key != "HTTP_COOKIE" and isinstance(value, bytes):
                value = value.decode("latin-1")  # noqa: PLW2901
            extra[key] = value
        kind = extra.pop("HTTP_CONTENT_TYPE", "application/x-www-form-urlencoded")
        path = path if isinstance(path, str) else quote(path, safe="/%:@!$&'()*+,;=~?")
        return self.generic(method, path, body, kind, **extra)

    @contextmanager
    def expecting(self, *promises: str) -> Iterator[None]:
        """Expect broken promises; an expected server error raises no exception."""
        before: bool = self.raise_request_exception
        self.raise_request_exception = response_checks.SERVER_ERROR not in promises
        try:
            with super().expecting(*promises):
                yield
        finally:
            self.raise_request_exception = before


class _JarView(SimpleCookie):
    """A jar as Client needs it: names and values, one cookie for each name."""

    def __init__(self, jar: Jar, origin: Origin) -> None:
        super().__init__()
        for cookie in reversed(jar.select(origin)[0]):
            super().__setitem__(cookie.name, cookie.value)
        self._jar, self._origin = jar, origin

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name, value)
        self._jar.store(f"{name}={value}; Path=/; HttpOnly", self._origin)


def _target(environ: Mapping[str, Any]) -> Origin:
    host = environ.get("HTTP_HOST") or environ["SERVER_NAME"]
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    path = environ["PATH_INFO"]
    if not path.isascii() or not path.isprintable() or " " in path:
        path = quote(path.encode("latin-1"), safe="/%:@!$&'()*+,;=~")
    return Origin(environ["wsgi.url_scheme"], name.strip("[]").lower(), path)
