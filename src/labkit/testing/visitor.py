"""A visitor in this process: django.test.Client with the cookie rules of a real browser."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpResponseBase
from django.http.request import validate_host
from django.test import Client

from labkit.testing import checks
from labkit.testing.browser import Browser, Exchange
from labkit.testing.jar import Origin


class Visitor(Browser, Client):
    """A browser of its own: what it was given it keeps, returns and forgets by RFC 6265bis.

    It is a django.test.Client in all else: `.get()`, `.post()`, `response.context`, templates, the
    test's own transaction. CSRF protection is on. Every response is checked on its way (see
    labkit.testing.checks); a test that expects a fault says so with `expecting()`.
    """

    raise_request_exception: bool  # of Client

    def __init__(self, host: str = "", scheme: str = "http", **defaults: Any) -> None:
        """`host` is 127.0.0.1 unless told otherwise; where ALLOWED_HOSTS has not, testserver."""
        if not host:
            local = "127.0.0.1"
            host = local if validate_host(local, settings.ALLOWED_HOSTS) else "testserver"
        Browser.__init__(self, Origin(scheme, host))
        Client.__init__(self, enforce_csrf_checks=True, SERVER_NAME=host, **defaults)
        self.defaults["wsgi.url_scheme"] = scheme
        self._under_way: Exchange

    # What django.test.Client asks of its cookies

    @property
    def cookies(self) -> SimpleCookie:
        """What Client itself writes to; the cookies are in `jar`."""
        return self._written_by_client

    @cookies.setter
    def cookies(self, value: SimpleCookie) -> None:
        self._written_by_client = _Unread()

    def _set_login_cookies(self, request: Any) -> None:
        # Client.login() and force_login() put the session cookie straight into the client.
        super()._set_login_cookies(request)
        for morsel in self._written_by_client.values():
            attributes = [f"{name}={value}" for name, value in morsel.items() if value]
            self.jar.store("; ".join([f"{morsel.key}={morsel.value}", *attributes]), self.origin)
        self._written_by_client.clear()

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
            came_from = exchange.context.initiator
            scheme = came_from.scheme if came_from else target.scheme
            host = came_from.host if came_from else environ.get("HTTP_HOST") or _server(environ)
            environ["HTTP_ORIGIN"] = f"{scheme}://{host}"
        self._under_way = exchange
        return environ

    def request(self, **request: Any) -> HttpResponseBase:
        """Send a request with the cookies that belong to it; store and check what comes back.

        Raises BrokenPromise where the response breaks a promise that the test did not expect to be
        broken.
        """
        response = super().request(**request)
        self._finish(self._under_way, response, checks.set_cookie_lines(response))
        return response

    def send(
        self,
        method: str,
        path: str | bytes,
        body: bytes = b"",
        headers: Mapping[str, str | bytes] | None = None,
    ) -> HttpResponseBase:
        """Send a request with these headers beside the usual ones, as WireVisitor.send() does.

        Bytes reach the lab as a server would hand them on. Raises BrokenPromise.
        """
        extra = {}
        for name, value in (headers or {}).items():
            key = f"HTTP_{name.upper().replace('-', '_')}"
            if key != "HTTP_COOKIE" and isinstance(value, bytes):
                value = value.decode("latin-1")  # noqa: PLW2901
            extra[key] = value
        kind = extra.pop("HTTP_CONTENT_TYPE", "application/x-www-form-urlencoded")
        path = path if isinstance(path, str) else quote(path, safe="/%:@!$&'()*+,;=~?")
        return self.generic(method, path, body, kind, **extra)

    @contextmanager
    def expecting(self, *promises: str) -> Iterator[None]:
        """As in Browser; a server error that is expected is not raised as an exception either."""
        before: bool = self.raise_request_exception
        self.raise_request_exception = checks.SERVER_ERROR not in promises
        try:
            with super().expecting(*promises):
                yield
        finally:
            self.raise_request_exception = before


class _Unread(SimpleCookie):
    """Client copies response.cookies to here; the jar has read the Set-Cookie headers itself."""

    def update(self, *args: Any, **kwargs: Any) -> None:
        pass


def _server(environ: Mapping[str, Any]) -> str:
    default = "443" if environ["wsgi.url_scheme"] == "https" else "80"
    port = environ["SERVER_PORT"]
    return environ["SERVER_NAME"] if port == default else f"{environ['SERVER_NAME']}:{port}"


def _target(environ: Mapping[str, Any]) -> Origin:
    host = environ.get("HTTP_HOST") or environ["SERVER_NAME"]
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    path = environ["PATH_INFO"]
    if not path.isascii() or not path.isprintable() or " " in path:
        path = quote(path.encode("latin-1"), safe="/%:@!$&'()*+,;=~")
    return Origin(environ["wsgi.url_scheme"], name.strip("[]").lower(), path)
