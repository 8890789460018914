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
    """A browser of its own: what it was given it keeps, returns and forgets by RFC 6265bis.

    It is a django.test.Client in all else: `.get()`, `.post()`, `response.context`, templates, the
    test's own transaction. CSRF protection is on. Every response is checked on its way (see
    labkit.testing.response_checks); a test that expects a fault says so with `expecting()`.
    """

    raise_request_exception: bool  # of Client
    server = ""  # none: requests stay in this process

    def __init__(self, host: str = "", scheme: str = "http", **defaults: Any) -> None:
        """`host` is 127.0.0.1 unless told otherwise; where ALLOWED_HOSTS has not, testserver."""
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

    # What django.test.Client asks of its cookies: session, login(), force_login(), logout()

    @property
    def cookies(self) -> SimpleCookie:
        """The jar's cookies for this site, as Client knows them; what is set goes into the jar."""
        return SimpleCookie() if self._requesting else _JarView(self.jar, self.origin)

    @cookies.setter
    def cookies(self, value: SimpleCookie) -> None:
        self.jar.clear()  # as Client.logout() means it

    # One exchange

    def _base_environ(self, **request: Any) -> dict[str, Any]:
        environ = super()._base_environ(**request)
        del environ["HTTP_COOKIE"]  # what Client made of its own, empty, cookies
        target = _target(environ)
        exchange = self._begin(environ["REQUEST_METHOD"], target, request.get("HTTP_COOKIE"))
        if exchange.cookie_bytes:  # which WSGI shows as Latin-1
            environ["HTTP_COOKIE"] = exchange.cookie_bytes.decode("latin-1")
        if exchange.method == "POST" and "HTTP_ORIGIN" not in environ:
            # Browsers name the page's origin with every POST, and Django's CSRF check reads it.
            environ["HTTP_ORIGIN"] = self._came_from or application_uri(environ).removesuffix("/")
        query = environ.get("QUERY_STRING")
        exchange.address = f"{target.path}?{query}" if query else target.path
        self._under_way = exchange
        return environ

    def request(self, **request: Any) -> HttpResponseBase:
        """Send a request with the cookies that belong to it; store and check what comes back.

        Raises BrokenPromise where the response breaks a promise that the test did not expect to be
        broken.
        """
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
        """As in Client; https where the visitor's own addresses are."""
        secure = secure or self.origin.scheme == "https"
        return super().generic(method, path, data, content_type, secure, **kwargs)

    def send(
        self,
        method: str,
        path: str | bytes,
        body: bytes = b"",
        headers: Mapping[str, str | bytes | None] | None = None,
    ) -> HttpResponseBase:
        """Send a request with these headers beside the usual ones, as WireVisitor.send() does.

        Bytes reach the lab as a server would hand them on. Raises BrokenPromise.
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
        """As in BaseVisitor; an expected server error is not raised as an exception either."""
        before: bool = self.raise_request_exception
        self.raise_request_exception = response_checks.SERVER_ERROR not in promises
        try:
            with super().expecting(*promises):
                yield
        finally:
            self.raise_request_exception = before


class _JarView(SimpleCookie):
    """A jar as Client sees its cookies: name and value alone, one for each name."""

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
