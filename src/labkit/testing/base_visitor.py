"""The base class of visitors, with a cookie jar, the last exchanges, forms and checks."""

import contextlib
import itertools
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote, urljoin, urlsplit
from weakref import WeakSet

import lxml.etree
import lxml.html
from django.http import HttpResponseBase
from django.http.request import split_domain_port

from labkit.http.cookie_header import from_wire, to_wire
from labkit.http.jar import Jar, WithheldCookie
from labkit.http.origin import TYPED, Context, Origin
from labkit.http.set_cookie import Cookie, CookieRefusal
from labkit.testing import forms, response_checks
from labkit.testing.jar_cookies import JarCookies
from labkit.testing.response_checks import BrokenPromise

REMEMBERED = 20  # exchanges
EXCERPT = 300  # how many characters of a page's text a report shows
PATH_CHARACTERS = "/%:@!$&'()*+,;=~"  # characters that are not percent-encoded in a path
# Characters that are not percent-encoded in a URL's path and query.
TARGET_CHARACTERS = "".join(map(chr, range(0x21, 0x7F)))
DEFAULT_PORTS = {"http": 80, "https": 443}

_births = itertools.count()

# The visitors in the running test; if the test fails, the report describes them.
visitors_of_this_test: "WeakSet[BaseVisitor]" = WeakSet()


@dataclass
class Exchange:
    """A request and its response, as sent and received."""

    method: str
    target: Origin
    context: Context
    url: str
    cookie_bytes: bytes  # the Cookie header
    origin: str = ""  # the Origin header
    came_from: str = ""  # the origin of the other site whose page caused the request
    held_back: list[WithheldCookie] = field(default_factory=list)
    response: HttpResponseBase | None = None
    set_cookies: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)  # Set-Cookie -> reason for refusal
    sent_at: float = field(default_factory=time.time)  # in Unix time, by the test's clock

    def __str__(self) -> str:
        target = self.target
        lines = [f"{self.method} {self.url}"]
        came_from = self.context.initiator
        if came_from and (came_from.scheme, came_from.host) != (target.scheme, target.host):
            lines.append(f"  caused by a page of {came_from.scheme}://{came_from.host}")
        cookies = self.cookie_bytes.decode(errors="backslashreplace")
        lines.append(f"  Cookie: {cookies or '(none sent)'}")
        lines += [f"  held back: {held.cookie.pair} ({held.reason})" for held in self.held_back]
        if self.response is None:
            return "\n".join([*lines, "  no response"])
        kind = self.response.get("Content-Type", "no content type")
        lines.append(f"  {self.response.status_code} {self.response.reason_phrase}, {kind}")
        if location := self.response.get("Location"):
            lines.append(f"  Location: {location}")
        for line in self.set_cookies:
            refused = f"  (NOT stored: {self.refused[line]})" if line in self.refused else ""
            lines.append(f"  Set-Cookie: {line}{refused}")
        lines += [f"  | {line}" for line in _excerpt(self.response)]
        return "\n".join(lines)


def _excerpt(response: HttpResponseBase) -> list[str]:
    """Return the beginning of a page's text, as lines."""
    if response.streaming or not response.content:
        return []
    text = response.content.decode("utf-8", "replace")
    if "html" in response.get("Content-Type", ""):
        with contextlib.suppress(ValueError, LookupError, lxml.etree.LxmlError):
            document = lxml.html.document_fromstring(response.content)
            main = document.find(".//main")
            text = (document if main is None else main).text_content()
    lines = filter(None, (" ".join(line.split()) for line in text[: 10 * EXCERPT].splitlines()))
    return "\n".join(lines)[:EXCERPT].splitlines()


class BaseVisitor:
    """A browser that stores cookies and the last exchanges; subclasses send the requests."""

    def __init__(self, site: str, scheme: str = "", port: int | None = None) -> None:
        """Create a browser for a site. For arguments and errors, see parse_site()."""
        # The site of this visitor's URLs, and the Host header of its requests.
        self.origin, self.host = parse_site(site, scheme, port)
        self.jar = Jar()
        # True during a request, whose cookies _finish() stores, not Client
        self._requesting = False
        self.exchanges: deque[Exchange] = deque(maxlen=REMEMBERED)
        self._context = TYPED
        # The origin of the page that caused the request, as in an Origin header.
        self._came_from = ""
        # {promise that should be broken: whether it has been broken}
        self._expected: dict[str, bool] = {}
        self.born = next(_births)

    @property
    def cookies(self) -> SimpleCookie:
        """Return a view of the jar that works like Client.cookies; changes to it change the jar."""
        return SimpleCookie() if self._requesting else JarCookies(self.jar, self.origin)

    @cookies.setter
    def cookies(self, value: SimpleCookie) -> None:
        # `value` may be a view of this jar, so it is copied before the jar is emptied.
        cookies = {name: copy(value[name]) for name in value}
        self.jar.clear()
        self.cookies.update(cookies)

    # One exchange

    def _begin(
        self,
        method: str,
        target: Origin,
        host: str,
        address: str,
        own_cookies: str | bytes | None = None,
    ) -> Exchange:
        """Prepare a request.

        host: the Host header; address: path and query; own_cookies: a Cookie header to send instead
        of the jar's cookies.
        """
        context = replace(self._context, method=method)
        sent, held_back = self.jar.select(target, context)
        header = "; ".join(cookie.pair for cookie in sent) if own_cookies is None else own_cookies
        cookie_bytes = header if isinstance(header, bytes) else to_wire(header)
        site = f"{target.scheme}://{host}"
        origin = self._origin_header(method, site)
        exchange = Exchange(
            method,
            target,
            context,
            f"{site}{address}",
            cookie_bytes,
            origin,
            self._came_from,
            held_back,
        )
        self.exchanges.append(exchange)
        visitors_of_this_test.add(self)
        return exchange

    def _origin_header(self, method: str, own: str) -> str:
        """Return a request's Origin header, which Django's CSRF check reads, or "" for none.

        https://fetch.spec.whatwg.org/#append-a-request-origin-header
        """
        if method in {"GET", "HEAD"}:
            return ""
        if self._came_from.startswith("https:") and own.startswith("http:"):
            return "null"  # the default referrer policy sends no https origin over plain HTTP
        return self._came_from or own

    def _finish(
        self, exchange: Exchange, response: HttpResponseBase, set_cookies: list[str]
    ) -> None:
        """Store the response's cookies, and check the response (see response_checks).

        Raises BrokenPromise if a check fails, unless the test expects that.
        """
        exchange.response, exchange.set_cookies = response, set_cookies
        response.exchange = exchange
        found = list(response_checks.faults(response, set_cookies))
        for line in set_cookies:
            try:
                self.jar.store(from_wire(line), exchange.target, exchange.context)
            except CookieRefusal as refused:
                exchange.refused[line] = str(refused)
                if not self.jar.blocked:
                    found.append((response_checks.COOKIE_REFUSED, f"{line!r}: {refused}"))
        for promise, detail in found:
            if promise not in self._expected:
                raise BrokenPromise(f"{promise}: {detail}\n{exchange}")
            self._expected[promise] = True

    @contextmanager
    def expecting(self, *promises: str) -> Iterator[None]:
        """Expect responses in the block to break each of these promises (see response_checks).

        Raises ValueError for an unknown promise, and BrokenPromise if a promise was not broken.
        """
        if unknown := set(promises) - response_checks.ALL:
            raise ValueError(f"no such promise: {', '.join(sorted(unknown))}")
        before = self._expected
        self._expected = before | dict.fromkeys(promises, False)
        try:
            yield
            if kept := [promise for promise in promises if not self._expected[promise]]:
                raise BrokenPromise(f"expected, but did not happen: {', '.join(kept)}")
        finally:
            self._expected = before

    # Actions in a browser

    def submit(
        self, action: str | None, data: Mapping[str, Any] | None = None, page: Any = None
    ) -> Any:
        """Fill in a form, send it as a browser does, and follow redirects.

        action: the URL that the form submits to; None selects the first form that contains every
            field in `data`.
        data: the values of fields and the pressed button, as in labkit.testing.forms.submit().
            Other fields are sent as they are on the page.
        page: a response, or a URL to open first; the default is `action`.

        Raises AssertionError if the page has no such form.
        """
        data, page = data or {}, page or action
        if isinstance(page, str):
            page = self.get(page)  # type: ignore[attr-defined]
        opened = self._url_of(page)
        form = forms.find_form(page, opened, action, data)
        return self._send_form(forms.submit(form, opened, data))

    def press(self, button: str, page: Any, data: Mapping[str, Any] | None = None) -> Any:
        """Press the button with this accessible name on a page, and follow redirects.

        data: values of fields to fill in first, as in submit().

        Raises AssertionError if the page has no such button, or if the button does not send a form.
        """
        opened = self._url_of(page)
        return self._send_form(
            forms.press(forms.find_button(page, opened, button), opened, data or {})
        )

    def _url_of(self, page: Any) -> str:
        """Return a response's URL, without the scheme and host if they are this visitor's own."""
        return self._without_own_site(page.exchange.url)

    def _follow_redirect(
        self,
        response: Any,
        *,
        data: Any = "",
        content_type: str = "",
        headers: Any = None,
        query_params: Any = None,
        **extra: Any,
    ) -> Any:
        """Follow a redirect as Client does, but keep the host if Location does not contain one.

        The query is taken from Location. The cause of the request stays the same.
        """
        location = response.headers["Location"]
        response.redirect_chain.append((location, response.status_code))
        exchange: Exchange = response.exchange
        method = exchange.method if response.status_code in {307, 308} else "GET"
        if method not in {"GET", "HEAD", "TRACE"}:
            extra |= {"data": _rewound(data), "content_type": content_type}
        for name in ("HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "wsgi.url_scheme"):
            extra.pop(name, None)  # in the URL
        url = self._without_own_site(urljoin(exchange.url, location).partition("#")[0])
        cause = exchange.came_from or exchange.origin
        embedded = not exchange.context.top_level
        with self.coming_from(cause, embedded=embedded) if cause else contextlib.nullcontext():
            return getattr(self, method.lower())(url, headers=headers, **extra)

    def _without_own_site(self, url: str) -> str:
        """Return the path of a URL on this visitor's site; return other URLs unchanged."""
        site = f"{self.origin.scheme}://{self.host}"
        path = url.removeprefix(site)
        return path if url.startswith(site) and path[:1] == "/" != path[1:2] else url

    def _send_form(self, sent: forms.Submission) -> Any:
        if sent.method == "GET":
            return self.get(sent.url, follow=True)  # type: ignore[attr-defined]
        return self.post(  # type: ignore[attr-defined]
            sent.url, sent.body, content_type=sent.content_type, follow=True
        )

    def close_browser(self) -> None:
        """Close and reopen the browser, which deletes session cookies."""
        self.jar.close_browser()

    def block_cookies(self, blocked: bool = True) -> None:
        """Block cookies, so that none are sent or stored; with False, allow cookies again.

        As in Chromium, cookies that are already stored are kept while cookies are blocked. Once
        cookies are allowed, they are sent again.
        """
        self.jar.blocked = blocked

    def edit_cookie(self, cookie: str | Cookie, value: str) -> None:
        """Change a cookie's value, as in a browser's developer tools.

        cookie: the cookie's name, or one of the jar's cookies if several have the same name.

        Raises KeyError if there is no such cookie, and ValueError if there are several or the value
        is invalid.
        """
        if set(";\r\n\0") & set(value):
            raise ValueError(f"No cookie can have the value {value!r}.")
        found = [each for each in self.jar if each is cookie or each.name == cookie]
        if not found:
            raise KeyError(cookie)
        if len(found) > 1:
            places = ", ".join(f"{each.domain}{each.path}" for each in found)
            raise ValueError(
                f"There are {len(found)} cookies named {cookie!r} ({places}). "
                f"Pass one of them, from visitor.jar."
            )
        found[0].value = value

    @contextmanager
    def coming_from(self, url: str, *, embedded: bool = False) -> Iterator[None]:
        """Send the requests within this block as if they came from a link or form on page `url`.

        embedded: send the requests as if for an image, a frame or fetch() in that page.
        """
        before = self._context, self._came_from
        self._context = Context(initiator=Origin.of(url), top_level=not embedded)
        self._came_from = _serialize_origin(url)
        try:
            yield
        finally:
            self._context, self._came_from = before

    def held_back(self, path: str = "/") -> list[WithheldCookie]:
        """Return the cookies that a GET request for `path` would not send, with the reasons."""
        return self.jar.held_back(replace(self.origin, path=path), self._context)


def _rewound(data: Any) -> Any:
    """Return a request's data with all files rewound, so that it can be sent again."""
    values = data.values() if isinstance(data, Mapping) else []
    for value in values:
        for each in value if isinstance(value, list | tuple) else [value]:
            if hasattr(each, "seek"):
                each.seek(0)
    return data


def raw_target(path: str | bytes) -> bytes:
    """Return a path and its query as bytes; text is encoded as in a browser."""
    return path if isinstance(path, bytes) else quote(path, safe=TARGET_CHARACTERS).encode()


def _serialize_origin(url: str) -> str:
    """Return a URL's origin as in an Origin header, without the scheme's default port."""
    origin, port = Origin.of(url), urlsplit(url).port
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    suffix = "" if port in {None, DEFAULT_PORTS.get(origin.scheme)} else f":{port}"
    return f"{origin.scheme}://{host}{suffix}"


def parse_site(site: str, scheme: str = "", port: int | None = None) -> tuple[Origin, str]:
    """Return a site's origin, and the Host header of requests to the site.

    site: a host name or IP address, with an optional port, or the site's URL.

    Raises ValueError if `site` is neither, or if it contradicts `scheme` or `port`.
    """
    if not isinstance(site, str):
        raise TypeError(f"A visitor's host must be a string, not {site!r}.")
    url = site
    if "://" not in site:
        bare_ipv6 = site.count(":") > 1 and not site.startswith("[")
        url = f"{scheme or 'http'}://{f'[{site}]' if bare_ipv6 else site}"
    try:
        parts, text = urlsplit(url), _serialize_origin(url)
        own_port = parts.port
    except ValueError:
        raise ValueError(f"{site!r} is neither a host nor the URL of a site.") from None
    if parts.scheme not in DEFAULT_PORTS:
        raise ValueError(f"{site!r}: a visitor can use only http or https.")
    if scheme and parts.scheme != scheme:
        raise ValueError(f"{site!r} contradicts scheme={scheme!r}.")
    if parts.path not in {"", "/"} or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(f"{site!r} contains more than a site. Give the path with each request.")
    if own_port is not None and port is not None:
        raise ValueError(f"{site!r} has a port, but port={port} is given too.")
    text += f":{port}" if port else ""
    host = text.partition("://")[2]
    if not split_domain_port(host)[0]:
        raise ValueError(f"{site!r} is not a host that Django accepts.")
    return Origin.of(text), host
