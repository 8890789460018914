"""A visitor in the tests' process: django.test.Client with a browser's cookie rules."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

from django.conf import settings
from django.http import HttpHeaders, HttpRequest, HttpResponseBase
from django.http.request import validate_host
from django.test import Client

from labkit.http.cookie_header import set_cookie_lines
from labkit.http.origin import Origin
from labkit.http.set_cookie import CookieRefusal
from labkit.testing import forms, response_checks
from labkit.testing.base_visitor import (
    DEFAULT_PORTS,
    PATH_CHARACTERS,
    BaseVisitor,
    parse_site,
    raw_target,
)
from labkit.testing.jar_cookies import session_cookie_line

EXCHANGE = "labkit.exchange"  # the key under which the environ of a request has its exchange


class Visitor(BaseVisitor, Client):
    """A django.test.Client that stores, sends and deletes cookies according to RFC 6265bis.

    CSRF protection is on. Each response is checked (see labkit.testing.response_checks); a test
    that expects a fault uses `expecting()`.
    https://docs.djangoproject.com/en/5.2/topics/testing/tools/#the-test-client
    """

    raise_request_exception: bool  # from Client
    server = ""  # no server is used, since requests stay in this process

    def __init__(
        self,
        host: str = "",
        scheme: str = "",
        *,
        enforce_csrf_checks: bool = True,
        headers: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        """Create a browser for a site; the other arguments are those of django.test.Client.

        host: see labkit.testing.base_visitor.parse_site(). The default is the Host header or
        SERVER_NAME in the other arguments, otherwise 127.0.0.1, or testserver if ALLOWED_HOSTS does
        not include 127.0.0.1.

        Raises ValueError if the host is invalid, or if arguments contradict each other.
        """
        self._arguments = {"host": host, "scheme": scheme, "headers": headers, **options}
        self._arguments["enforce_csrf_checks"] = enforce_csrf_checks
        for name in ("SERVER_PORT", "wsgi.url_scheme"):
            if name in options:
                raise ValueError(f"{name} is part of the site. Use Visitor('https://host:port').")
        environ = options | HttpHeaders.to_wsgi_names(headers or {})
        named = {environ[name] for name in ("HTTP_HOST", "SERVER_NAME") if name in environ}
        if host and named:
            raise ValueError(f"The host is given twice: {host!r} and {', '.join(sorted(named))}.")
        site = host or environ.get("HTTP_HOST") or environ.get("SERVER_NAME") or _default_host()
        BaseVisitor.__init__(self, site, scheme)
        options.setdefault("SERVER_NAME", self.origin.host)
        if self.host != self.origin.host and "HTTP_HOST" not in environ:
            # This is needed if the host is an IPv6 address or has a port.
            options["HTTP_HOST"] = self.host
        Client.__init__(self, enforce_csrf_checks, headers=headers, **options)

    def new_visitor(self) -> "Visitor":
        """Return another visitor of this site with the same arguments and an empty jar."""
        return type(self)(**self._arguments)

    # Used by django.test.Client in `session`, login(), force_login() and logout()

    @property
    def session(self) -> Any:
        """Return the session, as in Client; its save() also stores a changed key in the jar."""
        return self._storing_its_key(super().session)

    async def asession(self) -> Any:
        """Return the session asynchronously; see `session`."""
        return self._storing_its_key(await super().asession())

    def _storing_its_key(self, session: Any) -> Any:
        save = session.save

        def save_and_store_key(*arguments: Any, **options: Any) -> None:
            save(*arguments, **options)
            sent = self.cookies.get(settings.SESSION_COOKIE_NAME)
            if sent is None or sent.value != session.session_key:
                self.cookies[settings.SESSION_COOKIE_NAME] = session.session_key

        session.save = save_and_store_key
        return session

    def _set_login_cookies(self, request: HttpRequest) -> None:
        """Store the session cookie after login. Raises CookieRefusal if a browser refuses it."""
        session: Any = request.session
        at_close = session.get_expire_at_browser_close()
        age = None if at_close else session.get_expiry_age()
        line = session_cookie_line(session.session_key, age)
        try:
            self.jar.store(line, self.origin)
        except CookieRefusal as refused:
            raise CookieRefusal(
                f"A browser at {self.origin.scheme}://{self.host} refuses {line!r}: {refused}",
                refused.rule,
            ) from None

    # One exchange

    def _base_environ(self, **request: Any) -> dict[str, Any]:
        environ = super()._base_environ(**request)
        if "SERVER_NAME" in request and "HTTP_HOST" not in request:
            environ.pop("HTTP_HOST", None)  # the default would name another host
        own_cookies = None
        if "HTTP_COOKIE" in self.defaults | request:
            own_cookies = environ["HTTP_COOKIE"] or b""
        del environ["HTTP_COOKIE"]  # Client sets this from its own cookies, which are always empty
        target, host = _target(environ), _host(environ)
        query = environ.get("QUERY_STRING")
        address = f"{target.path}?{query}" if query else target.path
        exchange = self._begin(environ["REQUEST_METHOD"], target, host, address, own_cookies)
        if exchange.cookie_bytes:  # WSGI decodes headers as Latin-1
            environ["HTTP_COOKIE"] = exchange.cookie_bytes.decode("latin-1")
        if exchange.origin:
            environ.setdefault("HTTP_ORIGIN", exchange.origin)
        environ[EXCHANGE] = exchange
        return {name: value for name, value in environ.items() if value is not None}

    def request(self, **request: Any) -> HttpResponseBase:
        """Send a request with cookies. Raises BrokenPromise if the response breaks a promise."""
        before, self._requesting = self._requesting, True
        try:
            response = super().request(**request)
        finally:
            self._requesting = before
        exchange = response.wsgi_request.environ[EXCHANGE]
        self._finish(exchange, response, set_cookie_lines(response))
        return response

    def generic(
        self,
        method: str,
        path: str,
        data: Any = "",
        content_type: str | None = "application/octet-stream",
        secure: bool = False,
        *,
        query_params: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> HttpResponseBase:
        """Send a request as Client does, over https if the visitor's site uses https.

        If `path` is an absolute URL, the request has the URL's host, but stays in this process.
        """
        secure = secure or self.origin.scheme == "https"
        path = self._without_own_site(str(path))
        url = urlsplit(path)
        if url.netloc:
            target, host = parse_site(f"{url.scheme}://{url.netloc}")
            secure = target.scheme == "https"
            kwargs = {"HTTP_HOST": host, "SERVER_NAME": target.host} | kwargs
            if not url.path:
                kwargs.setdefault("PATH_INFO", "/")
        else:
            host = self.host
        if port := urlsplit(f"//{host}").port:
            kwargs.setdefault("SERVER_PORT", str(port))
        if not (query_params or url.query or "QUERY_STRING" in kwargs):
            kwargs["QUERY_STRING"] = self.defaults.get("QUERY_STRING", "")  # which Client ignores
        return super().generic(
            method, path, data, content_type, secure, query_params=query_params, **kwargs
        )

    def send(
        self,
        method: str,
        path: str | bytes,
        body: bytes = b"",
        headers: Mapping[str, str | bytes | None] | None = None,
    ) -> HttpResponseBase:
        """Send a request with additional headers, like WireVisitor.send().

        The lab receives the same bytes as from a server. Raises BrokenPromise as request() does.
        """
        path, _, query = raw_target(path).partition(b"?")
        environ: dict[str, Any] = {
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query.decode("latin-1"),
        }
        for name, value in (headers or {}).items():
            key = HttpHeaders.to_wsgi_name(name)
            if key != "HTTP_COOKIE" and isinstance(value, bytes):
                value = value.decode("latin-1")  # noqa: PLW2901
            environ[key] = value
        kind = environ.pop("CONTENT_TYPE", forms.URLENCODED)
        # In this case, the length is computed from the body.
        if environ.get("CONTENT_LENGTH", "") is None:
            del environ["CONTENT_LENGTH"]
        return self.generic(method, "/", body, kind, **environ)

    @contextmanager
    def expecting(self, *promises: str) -> Iterator[None]:
        """Expect broken promises; if a server error is expected, its exception is not raised."""
        before: bool = self.raise_request_exception
        self.raise_request_exception = before and response_checks.SERVER_ERROR not in promises
        try:
            with super().expecting(*promises):
                yield
        finally:
            self.raise_request_exception = before


def _default_host() -> str:
    local = "127.0.0.1"
    return local if validate_host(local, settings.ALLOWED_HOSTS) else "testserver"


def _host(environ: Mapping[str, Any]) -> str:
    """Return the Host header that a browser sends with this request."""
    if host := environ.get("HTTP_HOST"):
        return str(host)
    name, port = environ["SERVER_NAME"], environ["SERVER_PORT"]
    default = str(DEFAULT_PORTS[environ["wsgi.url_scheme"]])
    return name if port == default else f"{name}:{port}"


def _target(environ: Mapping[str, Any]) -> Origin:
    """Return a request's target as in the browser's URL, including SCRIPT_NAME."""
    scheme, host = environ["wsgi.url_scheme"], _host(environ)
    path = environ.get("SCRIPT_NAME", "").rstrip("/") + environ["PATH_INFO"]
    if not path.isascii() or not path.isprintable() or " " in path:
        path = quote(path.encode("latin-1"), safe=PATH_CHARACTERS)
    try:
        name = Origin.of(f"{scheme}://{host}").host
    except ValueError:  # a test may send a Host header that is not valid
        name = host.lower()
    return Origin(scheme, name, path)
