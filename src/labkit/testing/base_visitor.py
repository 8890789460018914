"""The browser half of a visitor: a cookie jar, the last exchanges, forms, and checks."""

import contextlib
import itertools
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urljoin
from weakref import WeakSet

import lxml.etree
import lxml.html
from django.http import HttpResponseBase

from labkit.http.jar import Jar, WithheldCookie
from labkit.http.origin import TYPED, Context, Origin
from labkit.http.set_cookie import CookieRefusal
from labkit.testing import response_checks
from labkit.testing.response_checks import BrokenPromise

REMEMBERED = 20  # exchanges
EXCERPT = 300  # characters of a page in a report

_births = itertools.count()

# All visitors of the running test, for its report if it fails.
visitors_of_this_test: "WeakSet[BaseVisitor]" = WeakSet()


@dataclass
class Exchange:
    """One request and its response, as sent and received."""

    method: str
    target: Origin
    context: Context
    cookie_bytes: bytes  # the Cookie header; empty if none is sent
    held_back: list[WithheldCookie] = field(default_factory=list)
    address: str = ""  # path and query, if they are more than the target's path
    response: HttpResponseBase | None = None
    set_cookies: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)  # Set-Cookie -> why the jar refused it

    def __str__(self) -> str:
        target = self.target
        lines = [f"{self.method} {target.scheme}://{target.host}{self.address or target.path}"]
        if self.context.initiator:
            came_from = self.context.initiator
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
    """Return the first lines of a page as a person reads them, whatever the page is."""
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

    def __init__(self, origin: Origin) -> None:
        self.origin = origin  # the site that its URLs belong to
        self.jar = Jar()
        self.exchanges: deque[Exchange] = deque(maxlen=REMEMBERED)
        self._context = TYPED
        self._came_from = ""  # the initiator's origin as a header names it, port included
        self._expected: dict[str, bool] = {}  # by promise: whether it has been broken
        self.born = next(_births)

    # One exchange

    def _begin(self, method: str, target: Origin, own: str | bytes | None = None) -> Exchange:
        """Prepare a request; `own` is a Cookie header that replaces the jar's."""
        context = replace(self._context, method=method)
        sent, held_back = self.jar.select(target, context)
        header = "; ".join(cookie.pair for cookie in sent) if own is None else own
        cookie_bytes = header if isinstance(header, bytes) else header.encode()
        exchange = Exchange(method, target, context, cookie_bytes, held_back)
        self.exchanges.append(exchange)
        visitors_of_this_test.add(self)
        return exchange

    def _finish(
        self, exchange: Exchange, response: HttpResponseBase, set_cookies: list[str]
    ) -> None:
        """Store the response's cookies and check its promises.

        Raises BrokenPromise, unless the test expects it.
        """
        exchange.response, exchange.set_cookies = response, set_cookies
        found = list(response_checks.faults(response, set_cookies))
        for line in set_cookies:
            try:
                self.jar.store(line, exchange.target, exchange.context)
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
        """Expect each of these promises of response_checks to be broken within this block.

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

    # What a person does with a browser

    def submit(
        self, action: str | None, data: Mapping[str, Any] | None = None, page: Any = None
    ) -> Any:
        """Fill in a form, send it as a browser does, and follow redirects.

        action: the URL that the form goes to; None for the first form that has all of `data`.
        data: the values of fields and the pressed button; hidden fields are sent as they are.
        page: a URL to open first (default: `action`), or a response.

        Raises AssertionError if the page has no such form.
        """
        data, page = data or {}, page or action
        if isinstance(page, str):
            page = self.get(page)  # type: ignore[attr-defined]
        opened: str = page.request["PATH_INFO"]
        form = _form(page, opened, action, data)
        return self._send_form(form, urljoin(opened, form.action or opened), data)

    def press(self, button: str, page: Any, data: Mapping[str, Any] | None = None) -> Any:
        """Press the button with this accessible name on `page`, a response.

        data: fields of its form to fill in first.

        Raises AssertionError if the page has no such button.
        """
        opened: str = page.request["PATH_INFO"]
        for element in lxml.html.document_fromstring(page.content.decode(page.charset)).iter(
            "button"
        ):
            if (element.get("aria-label") or element.text_content().strip()) == button:
                form = next(element.iterancestors("form"))
                action = element.get("formaction") or form.action or opened
                pressed = {element.get("name"): element.get("value", "")}
                pressed.pop(None, None)
                return self._send_form(form, urljoin(opened, action), pressed | dict(data or {}))
        raise AssertionError(f"{opened} answered {page.status_code} and has no button {button!r}")

    def _send_form(self, form: Any, address: str, data: Mapping[str, Any]) -> Any:
        fields = dict(form.form_values()) | {key: str(value) for key, value in data.items()}
        send = self.post if form.method == "POST" else self.get  # type: ignore[attr-defined]
        return send(address, fields, follow=True)

    def close_browser(self) -> None:
        """Close the browser and open it again: session cookies are gone, persistent ones stay."""
        self.jar.close_browser()

    def block_cookies(self, blocked: bool = True) -> None:
        """Neither send nor store cookies from now on; False allows them again.

        Stored cookies are kept and come back when allowed, as with Chromium's settings.
        """
        self.jar.blocked = blocked

    def edit_cookie(self, name: str, value: str) -> None:
        """Change a cookie's value as in a browser's developer tools. Raises KeyError."""
        if (cookie := self.jar.get(name)) is None:
            raise KeyError(name)
        cookie.value = value

    @contextmanager
    def coming_from(self, url: str, *, embedded: bool = False) -> Iterator[None]:
        """Send the requests within this block as if a link or form on the page at `url` did.

        embedded: the page shows the response inside itself, as an image, frame or fetch.
        """
        before = self._context, self._came_from
        self._context = Context(initiator=Origin.of(url), top_level=not embedded)
        self._came_from = "/".join(url.split("/")[:3])
        try:
            yield
        finally:
            self._context, self._came_from = before

    def held_back(self, path: str = "/") -> list[WithheldCookie]:
        """Return the cookies that a GET request to `path` would not send, with the reasons."""
        return self.jar.held_back(replace(self.origin, path=path), self._context)


def _form(
    response: HttpResponseBase, page: str, action: str | None, data: Mapping[str, Any]
) -> lxml.html.FormElement:
    """Return the form that goes to `action` and has a field or button for all of `data`."""
    html = response.content.decode(response.charset)
    forms = [
        form
        for form in lxml.html.document_fromstring(html).forms
        if action is None or urljoin(page, form.action or page) == action
    ]
    for form in forms:
        buttons = {(button.get("name"), button.get("value", "")) for button in form.iter("button")}
        if all(key in form.fields or (key, str(value)) in buttons for key, value in data.items()):
            return form
    where = action or "any address"
    raise AssertionError(
        f"{page} answered {response.status_code} and has no form that goes to {where} and takes "
        f"{dict(data)!r}; it has {len(forms)} forms to that address"
    )
