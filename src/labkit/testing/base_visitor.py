"""The base class of visitors: a cookie jar, the last exchanges, forms and checks."""

import contextlib
import itertools
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
EXCERPT = 300  # characters of a page in a report
PATH_CHARACTERS = "/%:@!$&'()*+,;=~"  # characters that are not quoted in a path
TARGET_CHARACTERS = "".join(map(chr, range(0x21, 0x7F)))  # not quoted in path and query
DEFAULT_PORTS = {"http": 80, "https": 443}

_births = itertools.count()

# All visitors of the running test, for its failure report.
visitors_of_this_test: "WeakSet[BaseVisitor]" = WeakSet()


@dataclass
class Exchange:
    """A request and its response, as sent and received."""

    method: str
    target: Origin
    context: Context
    url: str
    cookie_bytes: bytes  # the Cookie header, if any
    origin: str = ""  # the Origin header, if any
    came_from: str = ""  # the origin of the page that caused it, if on another site
    held_back: list[WithheldCookie] = field(default_factory=list)
    response: HttpResponseBase | None = None
    set_cookies: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)  # Set-Cookie -> why the jar refused it

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
    """Return the first lines of a page's text."""
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
    """A browser that remembers cookies and exchanges; subclasses send the requests."""

    def __init__(self, site: str, scheme: str = "", port: int | None = None) -> None:
        """Open a browser for a site. For arguments and errors, see parse_site()."""
        # The site of this visitor's URLs, and its Host header.
        self.origin, self.host = parse_site(site, scheme, port)
        self.jar = Jar()
        self._requesting = False  # True while Client would store cookies, which _finish() does
        self.exchanges: deque[Exchange] = deque(maxlen=REMEMBERED)
        self._context = TYPED
        self._came_from = ""  # the initiator's origin as in a header, with its port
        self._expected: dict[str, bool] = {}  # promise -> whether it has been broken
        self.born = next(_births)

    @property
    def cookies(self) -> SimpleCookie:
        """The jar's cookies in the form of Client's; changes here change the jar."""
        return SimpleCookie() if self._requesting else JarCookies(self.jar, self.origin)

    @cookies.setter
    def cookies(self, value: SimpleCookie) -> None:
        # The value may be a view of this jar, so copy it before the jar is emptied.
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

        host: the Host header; address: path and query; own_cookies: a Cookie header that replaces
        the jar's.
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
        """Return the Origin header of a request, which Django's CSRF check reads, or "".

        https://fetch.spec.whatwg.org/#append-a-request-origin-header
        """
        if method in {"GET", "HEAD"}:
            return ""
        if self._came_from.startswith("https:") and own.startswith("http:"):
            return "null"  # under the default referrer policy, for plain http
        return self._came_from or own

    def _finish(
        self, exchange: Exchange, response: HttpResponseBase, set_cookies: list[str]
    ) -> None:
        """Store the response's cookies, and check its promises.

        Raises BrokenPromise, unless the test expects it.
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
        """Expect each of these promises of response_checks to be broken within the block.

        Raises ValueError for an unknown promise, and BrokenPromise for one that was kept.
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

        action: the URL that the form goes to; None for the first form that has all of `data`.
        data: the values of fields and the pressed button, as in labkit.testing.forms.submit().
            Other fields are sent as they are on the page.
        page: a URL to open first (default: `action`), or a response.

        Raises AssertionError if the page has no such form.
        """
        data, page = data or {}, page or action
        if isinstance(page, str):
            page = self.get(page)  # type: ignore[attr-defined]
        opened = self._url_of(page)
        form = forms.find_form(page, opened, action, data)
        return self._send_form(forms.submit(form, opened, data))

    def press(self, button: str, page: Any, data: Mapping[str, Any] | None = None) -> Any:
        """Press the button with this accessible name on a page.

        data: fields of the form to fill in first, as in submit().

        Raises AssertionError if the page has no such button, or the button sends no form.
        """
        opened = self._url_of(page)
        return self._send_form(
            forms.press(forms.find_button(page, opened, button), opened, data or {})
        )

    def _url_of(self, page: Any) -> str:
        """Return the URL of a response, without this visitor's own scheme and host."""
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
        """Follow a redirect as Client does; without a host in Location, the host stays the same.

        Location has the whole query, and the cause of the request stays the same.
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
        """Return a URL of this visitor's site as a path, and other URLs unchanged."""
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
        """Close the browser and open it again, which deletes session cookies."""
        self.jar.close_browser()

    def block_cookies(self, blocked: bool = True) -> None:
        """Neither send nor store cookies from now on; False allows them again.

        As in Chromium, stored cookies are kept while blocked, and sent again when allowed.
        """
        self.jar.blocked = blocked

    def edit_cookie(self, cookie: str | Cookie, value: str) -> None:
        """Change a cookie's value, as with a browser's developer tools.

        cookie: its name, or one of the jar's cookies if several have this name.

        Raises KeyError if there is no such cookie, and ValueError if there are several, or if the
        value is not valid.
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
        """Send the requests within this block as if a link or form on the page `url` caused them.

        embedded: the page shows the response inside itself, as an image, frame or fetch.
        """
        before = self._context, self._came_from
        self._context = Context(initiator=Origin.of(url), top_level=not embedded)
        self._came_from = _serialize_origin(url)
        try:
            yield
        finally:
            self._context, self._came_from = before

    def held_back(self, path: str = "/") -> list[WithheldCookie]:
        """Return the cookies that a GET request to `path` would not send, with the reasons."""
        return self.jar.held_back(replace(self.origin, path=path), self._context)


def _rewound(data: Any) -> Any:
    """Return the data of a request for sending it again, with its files rewound."""
    values = data.values() if isinstance(data, Mapping) else []
    for value in values:
        for each in value if isinstance(value, list | tuple) else [value]:
            if hasattr(each, "seek"):
                each.seek(0)
    return data


def raw_target(path: str | bytes) -> bytes:
    """Return a path with its query as bytes; text is encoded as in a browser."""
    return path if isinstance(path, bytes) else quote(path, safe=TARGET_CHARACTERS).encode()


def _serialize_origin(url: str) -> str:
    """Return a URL's origin as in a header, without the scheme's default port."""
    origin, port = Origin.of(url), urlsplit(url).port
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    suffix = "" if port in {None, DEFAULT_PORTS.get(origin.scheme)} else f":{port}"
    return f"{origin.scheme}://{host}{suffix}"


def parse_site(site: str, scheme: str = "", port: int | None = None) -> tuple[Origin, str]:
    """Return the origin of a site and the Host header of its requests.

    site: a host name or IP address, with an optional port, or the site's URL.

    Raises ValueError if it is neither, or if it contradicts `scheme` or `port`.
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
