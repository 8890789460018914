"""Describe cookies: their owners, their attributes, and whether browsers keep them."""

import re
import time
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Literal, NamedTuple

from django.conf import settings

from labkit.base.cookie_names import lab_number
from labkit.catalog import CatalogError, catalog
from labkit.cookie_report import Attribute, explain_attributes
from labkit.http.cookie_header import cookie_name, from_wire, to_wire
from labkit.http.jar import Jar
from labkit.http.origin import Origin, path_match
from labkit.http.set_cookie import (
    MAX_NAME_VALUE,
    Cookie,
    CookieRefusal,
    parse_set_cookie,
    read_attributes,
)
from labkit.panel.models import Exchange
from labkit.session_stores import has_sessions
from labkit.text_format import remaining


class CookieOwner(NamedTuple):
    """The owner of a cookie, such as this lab. Pages contain `kind` as data-owner."""

    kind: Literal["session", "csrf", "lab", "other-lab", "unknown"]
    text: str

    @property
    def is_this_lab(self) -> bool:
        """True if this lab set the cookie."""
        return self.kind in {"session", "csrf", "lab"}


@dataclass(frozen=True)
class Lifetime:
    """A lifetime and how much of it remains, in seconds. Pages show it as a shrinking bar."""

    whole: float
    left: float

    @property
    def elapsed(self) -> float:
        """How much of the lifetime has passed, in seconds."""
        return self.whole - self.left

    @property
    def share(self) -> float:
        """How much of the lifetime remains, as a fraction from 0 to 1."""
        return self.left / self.whole if self.whole > 0 else 0.0

    def __str__(self) -> str:
        return remaining(self.left, self.whole)


# The possible effects of a deletion, judging by the request. Pages contain the key as data-deleted.
DELETIONS = {
    "sent": (
        "The browser deletes its cookie with this name, Path and Domain. One with another Path or "
        "Domain stays."
    ),
    "not-sent": "This request sent no cookie with this name, so there may be none to delete.",
    "other-path": (
        "The cookie that this request sent has another Path, so the browser keeps and sends it."
    ),
}


# Matches cookies as Django writes them that every browser sets: without Domain, Secure and the
# prefix of a name, and with a Max-Age above 0 if there is Expires. The group is the name.
_ALWAYS_SET = re.compile(
    r"((?!__)[\w.-]+)=[ !-:<-~]*"
    r"(?:; expires=[\w, :-]+(?:; HttpOnly)?; Max-Age=[1-9]\d{0,9}|(?:; HttpOnly)?)"
    r"; Path=/(?:; SameSite=(?:Lax|Strict))?",
    re.ASCII,
)


class CookieEffect(StrEnum):
    """The effect of a Set-Cookie header field on the browser's cookies."""

    SET = "set"
    DELETED = "deleted"
    NOT_DELETED = "not-deleted"  # the deletion has another Path, so the browser keeps its cookie
    REFUSED = "refused"

    @property
    def verb(self) -> str:
        """The verb that describes this effect, such as "sets"."""
        return _VERBS[self]


_VERBS = {
    CookieEffect.SET: "sets",
    CookieEffect.DELETED: "deletes",
    CookieEffect.NOT_DELETED: "does not delete (other Path)",
    CookieEffect.REFUSED: "sets, but browsers refuse",
}


def cookie_effects(exchange: Exchange) -> dict[CookieEffect, list[str]]:
    """Return the names of the response's cookies, grouped by effect."""
    effects: dict[CookieEffect, list[str]] = {}
    is_host_name = ".." not in exchange.host  # browsers refuse all cookies of a host such as lab..
    for line in exchange.set_cookies:
        # Every page needs this, and parsing takes time.
        short = is_host_name and len(line) < MAX_NAME_VALUE
        if short and (found := _ALWAYS_SET.fullmatch(line)):
            effect, name = CookieEffect.SET, found[1]
        else:
            cookie = ResponseCookie(line, exchange)
            effect, name = cookie.effect, cookie.name
        effects.setdefault(effect, []).append(name)
    return effects


class ResponseCookie:
    """A cookie that a Set-Cookie header field of the response sets or deletes.

    line: the field's bytes, decoded as Latin-1 as in WSGI.
    """

    def __init__(self, line: str, exchange: Exchange) -> None:
        self._exchange = exchange
        self._text = text = from_wire(line)
        self.name = from_wire(cookie_name(line))
        self.refusal = ""
        self.parsed: Cookie | None = None  # None if browsers refuse the cookie
        cookie = None
        source = request_origin(exchange)
        try:
            cookie = parse_set_cookie(text, source, exchange.at)
            Jar().check(cookie, source)
            self.parsed = cookie
        except CookieRefusal as refused:
            self.refusal = str(refused)
        self.deletion = ""  # a key of DELETIONS; "" if the cookie is set or refused
        if cookie is not None and cookie.expired(exchange.at):
            self.deletion = _deletion(cookie, exchange, source)

    @property
    def effect(self) -> CookieEffect:
        """The effect on the browser's cookies."""
        if self.refusal:
            return CookieEffect.REFUSED
        if self.deletion == "other-path":
            return CookieEffect.NOT_DELETED
        return CookieEffect.DELETED if self.deletion else CookieEffect.SET

    @property
    def line(self) -> str:
        """The header field as text."""
        return to_wire(self._text).decode("utf-8", "replace")

    @property
    def size(self) -> int:
        """The size of the name and value together, in bytes."""
        return len(to_wire(self._text.partition(";")[0].replace("=", "", 1).strip()))

    @cached_property
    def owner(self) -> CookieOwner:
        """The owner of the cookie."""
        return cookie_owner(self.name)

    @property
    def deletion_text(self) -> str:
        """The effect of a deletion in words, or "" if this is not a deletion."""
        return DELETIONS.get(self.deletion, "")

    @cached_property
    def attributes(self) -> list[Attribute]:
        """The cookie's attributes, each with its name, text and meaning."""
        attributes = read_attributes(self._text)
        return list(explain_attributes(attributes, self.parsed, self._exchange.at))

    @cached_property
    def life(self) -> Lifetime | None:
        """The cookie's lifetime, or None if it is a session cookie, deleted or refused."""
        cookie, exchange = self.parsed, self._exchange
        if cookie is None or cookie.expires is None or self.deletion:
            return None
        # The browser's clock does not follow the server's moved clock.
        whole = cookie.expires - exchange.at
        return Lifetime(whole, max(0.0, whole - (time.monotonic() - exchange.monotonic)))


def _deletion(cookie: Cookie, exchange: Exchange, source: Origin) -> str:
    """Return the key of DELETIONS that describes the deletion of this cookie."""
    if cookie.name not in {from_wire(name) for name, _ in exchange.sent_cookies()}:
        return "not-sent"
    # A request sends only cookies whose Path matches its URL.
    return "sent" if path_match(source.path, cookie.path) else "other-path"


def request_origin(exchange: Exchange) -> Origin:
    """Return the origin and path of a request as the browser sees them."""
    return _origin(exchange.scheme, exchange.host, exchange.path.partition("?")[0])


@lru_cache(maxsize=256)
def _origin(scheme: str, host: str, path: str) -> Origin:
    try:
        return Origin.of(f"{scheme}://{host}{path}")
    except ValueError:  # the Host header may be invalid
        return Origin(scheme, host.lower(), path)


def cookie_owner(name: str) -> CookieOwner:
    """Return the owner of the cookie with this name."""
    lab = str(settings.LAB)
    if name == settings.SESSION_COOKIE_NAME and has_sessions():
        return CookieOwner("session", "this lab's session key")
    if name == settings.CSRF_COOKIE_NAME:
        return CookieOwner("csrf", "Django's, against forged forms")
    number = lab_number(name, lab)
    if number == lab:
        return CookieOwner("lab", "this lab's own")
    if number in _lab_numbers():
        return CookieOwner("other-lab", f"lab {number}'s, because cookies ignore ports")
    return CookieOwner("unknown", "not this lab's")


def _lab_numbers() -> list[str]:
    try:
        return [lab.number for lab in catalog().labs]
    except CatalogError:
        return []


def request_cookies(exchange: Exchange) -> list[tuple[str, str, int, CookieOwner]]:
    """Return (name, value, size in bytes, owner) of each cookie sent, with this lab's first."""
    found = []
    for name, value in exchange.sent_cookies():
        # WSGI decodes the header's bytes as Latin-1.
        raw_name, raw_value = (text.encode("latin-1", "replace") for text in (name, value))
        shown = raw_name.decode("utf-8", "replace"), raw_value.decode("utf-8", "replace")
        found.append((*shown, len(raw_name + raw_value), cookie_owner(shown[0])))
    return sorted(found, key=lambda cookie: not cookie[-1].is_this_lab)


def response_cookies(exchange: Exchange) -> list[ResponseCookie]:
    """Return the cookies that the response sets or deletes."""
    return [ResponseCookie(line, exchange) for line in exchange.set_cookies]
