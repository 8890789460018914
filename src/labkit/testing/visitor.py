"""A visitor: django.test.Client with the cookie rules of a real browser."""

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote, urljoin

import lxml.html
from django.http import HttpResponseBase
from django.test import Client

from labkit.testing import checks
from labkit.testing.checks import BrokenPromise, Fault
from labkit.testing.jar import Context, HeldBack, Jar, Origin, Refused

REMEMBERED = 20  # exchanges kept for a failing test's report


@dataclass
class Exchange:
    """One request and its response, as they crossed the wire."""

    method: str
    target: Origin
    cookie_header: str
    held_back: list[HeldBack]
    status: int = 0
    set_cookies: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)  # (Set-Cookie, why)

    def __str__(self) -> str:
        target = self.target
        lines = [f"{self.method} {target.scheme}://{target.host}{target.path}"]
        lines += [f"  Cookie: {self.cookie_header or '(none)'}"]
        lines += [f"  held back: {held.cookie.pair} ({held.reason})" for held in self.held_back]
        lines += [f"  -> {self.status}"]
        lines += [f"  Set-Cookie: {line}" for line in self.set_cookies]
        lines += [f"  not stored: {line} ({why})" for line, why in self.refused]
        return "\n".join(lines)


class Visitor(Client):
    """A browser of its own: what it was given it keeps, returns and forgets by RFC 6265bis.

    It is a django.test.Client in all else: `.get()`, `.post()`, `response.context`, templates, the
    test's own transaction. CSRF protection is on. Every response is checked on its way (see
    labkit.testing.checks); a test that expects a fault says so with `expecting()`.
    """

    def __init__(self, host: str = "127.0.0.1", scheme: str = "http", **defaults: Any) -> None:
        self.jar = Jar()
        self.exchanges: deque[Exchange] = deque(maxlen=REMEMBERED)
        self._initiator: Origin | None = None
        self._top_level = True
        self._expected: dict[str, bool] = {}  # promise -> whether it was broken since
        super().__init__(enforce_csrf_checks=True, SERVER_NAME=host, **defaults)
        self.defaults["wsgi.url_scheme"] = scheme

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
        target = _target(environ)
        context = Context(environ["REQUEST_METHOD"], self._initiator, self._top_level)
        if "HTTP_COOKIE" not in request:  # a test may send a Cookie header of its own
            environ["HTTP_COOKIE"] = self.jar.header(target, context)
        cookie_header = environ.pop("HTTP_COOKIE")
        if cookie_header:  # UTF-8 on the wire, which WSGI shows as Latin-1
            environ["HTTP_COOKIE"] = cookie_header.encode().decode("latin-1")
        if context.method == "POST" and "HTTP_ORIGIN" not in environ:
            # Browsers name the page's origin with every POST, and Django's CSRF check reads it.
            host = environ.get("HTTP_HOST") or _server(environ)
            own = f"{target.scheme}://{host}"
            came_from = self._initiator
            environ["HTTP_ORIGIN"] = f"{came_from.scheme}://{came_from.host}" if came_from else own
        self._under_way = target, context, cookie_header
        return environ

    def request(self, **request: Any) -> HttpResponseBase:
        """Send a request with the cookies that belong to it; store and check what comes back.

        Raises BrokenPromise where the response breaks a promise that the test did not expect to be
        broken.
        """
        response = super().request(**request)
        target, context, cookie_header = self._under_way
        set_cookies = checks.set_cookie_lines(response)
        exchange = Exchange(
            context.method,
            target,
            cookie_header,
            [],
            response.status_code,
            set_cookies,
        )
        self.exchanges.append(exchange)
        found = list(checks.faults(response, set_cookies))
        for line in set_cookies:
            try:
                self.jar.store(line, target, context)
            except Refused as refused:
                exchange.refused.append((line, str(refused)))
                if not self.jar.blocked:
                    found.append(Fault(checks.COOKIE_REFUSED, f"{line!r}: {refused}"))
        for fault in found:
            self._report(fault, exchange)
        return response

    def _report(self, fault: Fault, exchange: Exchange) -> None:
        if fault.promise in self._expected:
            self._expected[fault.promise] = True
        else:
            raise BrokenPromise(f"{fault.promise}: {fault.detail}\n\n{exchange}")

    @contextmanager
    def expecting(self, *promises: str) -> Iterator[None]:
        """Within this block these promises of labkit.testing.checks are broken, each at least once.

        Raises ValueError for a name that is none, BrokenPromise where one was kept after all.
        """
        if unknown := set(promises) - checks.ALL:
            raise ValueError(f"no such promise: {', '.join(sorted(unknown))}")
        before, raises = self._expected, self.raise_request_exception
        self._expected = before | dict.fromkeys(promises, False)
        self.raise_request_exception = checks.SERVER_ERROR not in promises
        try:
            yield
            if kept := [promise for promise in promises if not self._expected[promise]]:
                raise BrokenPromise(f"expected, but did not happen: {', '.join(kept)}")
        finally:
            self._expected, self.raise_request_exception = before, raises

    # What a person does with a browser

    def submit(
        self, action: str, data: Mapping[str, Any] | None = None, page: str | None = None
    ) -> HttpResponseBase:
        """Open `page` (default: `action`), fill in its form that goes to `action`, and send it.

        As a browser would: hidden fields, the CSRF token and the pressed button's name included,
        redirects followed. `data` names fields and buttons of the form.
        Raises AssertionError where the page has no such form.
        """
        page = page or action
        opened = self.get(page)
        form = _form(opened, page, action, data or {})
        fields = dict(form.form_values()) | {key: str(value) for key, value in (data or {}).items()}
        if form.method == "POST":
            return self.post(action, fields, follow=True)
        return self.get(action, fields, follow=True)

    def close_browser(self) -> None:
        """Close the browser and open it again: session cookies are gone, persistent ones stay."""
        self.jar.close_browser()

    def block_cookies(self, blocked: bool = True) -> None:
        """Refuse all cookies from now on, and delete those there are; False allows them again."""
        self.jar.clear()
        self.jar.blocked = blocked

    def edit_cookie(self, name: str, value: str) -> None:
        """Change a cookie's value by hand, as in a browser's developer tools.

        Raises KeyError where the jar holds no cookie of that name.
        """
        cookie = self.jar.get(name)
        if cookie is None:
            raise KeyError(name)
        cookie.value = value

    @contextmanager
    def coming_from(self, url: str, *, embedded: bool = False) -> Iterator[None]:
        """Within this block the requests are caused by the page at `url`: its link, its form.

        `embedded`: it shows the answer inside itself (image, frame, fetch) and not in its place.
        """
        before = self._initiator, self._top_level
        self._initiator, self._top_level = Origin.of(url), not embedded
        try:
            yield
        finally:
            self._initiator, self._top_level = before

    def held_back(self, path: str = "/") -> list[HeldBack]:
        """The cookies in the jar that a request to `path` would not carry, each with its reason."""
        context = Context("GET", self._initiator, self._top_level)
        return self.jar.held_back(replace(self.origin, path=path), context)

    @property
    def origin(self) -> Origin:
        """The site that this visitor's addresses belong to, at its root."""
        return Origin(self.defaults["wsgi.url_scheme"], self.defaults["SERVER_NAME"])


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


def _form(
    response: HttpResponseBase, page: str, action: str, data: Mapping[str, Any]
) -> lxml.html.FormElement:
    """The form on this page that goes to `action` and has a field or button for all of `data`."""
    html = response.content.decode(response.charset)
    forms = [
        form
        for form in lxml.html.document_fromstring(html).forms
        if urljoin(page, form.action or page) == action
    ]
    for form in forms:
        buttons = {(button.get("name"), button.get("value", "")) for button in form.iter("button")}
        if all(key in form.fields or (key, str(value)) in buttons for key, value in data.items()):
            return form
    raise AssertionError(
        f"{page} answered {response.status_code} and has no form that goes to {action} and takes "
        f"{dict(data)!r}; it has {len(forms)} forms to that address"
    )
