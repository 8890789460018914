"""Describes cookies: who owns one, what its attributes mean, and whether a browser keeps it."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Literal, NamedTuple

from django.conf import settings

from labkit.catalog import CatalogError, catalog
from labkit.http.cookie_header import cookie_name, from_wire, to_wire
from labkit.http.jar import Jar
from labkit.http.origin import Origin, path_match
from labkit.http.set_cookie import (
    MAX_AGE,
    Cookie,
    CookieRefusal,
    parse_set_cookie,
    read_attributes,
    read_expiry,
)
from labkit.panel.models import Exchange
from labkit.session_stores import has_sessions
from labkit.text_format import duration, remaining


class CookieOwner(NamedTuple):
    """The part of a project that a cookie belongs to. Pages carry `kind` as data-owner."""

    kind: Literal["session", "csrf", "lab", "other-lab", "unknown"]
    text: str

    @property
    def is_this_lab(self) -> bool:
        """True if this lab set the cookie."""
        return self.kind in {"session", "csrf", "lab"}


@dataclass(frozen=True)
class Lifetime:
    """How long something still lives, for a bar that runs down; in seconds."""

    whole: float
    left: float

    @property
    def elapsed(self) -> float:
        """The seconds since it was set."""
        return self.whole - self.left

    @property
    def share(self) -> float:
        """The part that is left, from 0 to 1."""
        return self.left / self.whole if self.whole > 0 else 0.0

    def __str__(self) -> str:
        return remaining(self.left, self.whole)


# What a deletion does, as far as the request shows it. Pages carry the key as data-deleted.
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


class CookieEffect(StrEnum):
    """The effect of a Set-Cookie header field on the browser's cookies."""

    SET = "set"
    DELETED = "deleted"
    NOT_DELETED = "not-deleted"  # the request sent one with another Path, which stays
    REFUSED = "refused"

    @property
    def verb(self) -> str:
        """The verb to put before the names of the cookies."""
        return _VERBS[self]


_VERBS = {
    CookieEffect.SET: "sets",
    CookieEffect.DELETED: "deletes",
    CookieEffect.NOT_DELETED: "does not delete (other Path)",
    CookieEffect.REFUSED: "sets, but browsers refuse",
}


def cookie_effects(exchange: Exchange) -> dict[CookieEffect, list[str]]:
    """Return the names of the cookies that the response sets, deletes and so on."""
    effects: dict[CookieEffect, list[str]] = {}
    for line in exchange.set_cookies:
        name = from_wire(cookie_name(line))
        if name == settings.CSRF_COOKIE_NAME:  # most pages set it, and browsers keep it
            effect = CookieEffect.DELETED if "Max-Age=0" in line else CookieEffect.SET
        else:
            effect = ResponseCookie(line, exchange).effect
        effects.setdefault(effect, []).append(name)
    return effects


class ResponseCookie:
    """A cookie that a Set-Cookie header field of the response sets or deletes.

    line: the field, its bytes decoded as Latin-1, as WSGI has it.
    """

    def __init__(self, line: str, exchange: Exchange) -> None:
        self._exchange = exchange
        self._text = text = from_wire(line)
        self.name = from_wire(cookie_name(line))
        self.refusal = ""
        self._cookie = cookie = None
        source = _request_origin(exchange)
        try:
            Jar().store(text, source)
            self._cookie = cookie = parse_set_cookie(text, source, exchange.at)
        except CookieRefusal as refused:
            self.refusal = str(refused)
        self.deletion = ""  # a key of DELETIONS; empty if the cookie is set, or refused
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
        """The header field, as text."""
        return to_wire(self._text).decode("utf-8", "replace")

    @property
    def size(self) -> int:
        """The bytes of name and value."""
        return len(to_wire(self._text.partition(";")[0].replace("=", "", 1).strip()))

    @cached_property
    def owner(self) -> CookieOwner:
        """The part of the project that it belongs to."""
        return cookie_owner(self.name)

    @property
    def deletion_text(self) -> str:
        """The effect of a deletion, in words; empty if this is not one."""
        return DELETIONS.get(self.deletion, "")

    @cached_property
    def attributes(self) -> list[tuple[str, str, str]]:
        """The (name, text, meaning) of each attribute."""
        attributes = read_attributes(self._text)
        return list(explain_attributes(attributes, self._cookie, self._exchange.at))

    @cached_property
    def life(self) -> Lifetime | None:
        """How long the browser keeps it; None: until it closes, deleted or refused."""
        cookie, exchange = self._cookie, self._exchange
        if cookie is None or cookie.expires is None or self.deletion:
            return None
        # The browser's clock goes on, however the server's has been moved.
        whole = cookie.expires - exchange.at
        return Lifetime(whole, max(0.0, whole - (time.monotonic() - exchange.monotonic)))


def _deletion(cookie: Cookie, exchange: Exchange, source: Origin) -> str:
    """Return the key of DELETIONS for a field that deletes this cookie."""
    if cookie.name not in {from_wire(name) for name, _ in exchange.sent_cookies()}:
        return "not-sent"
    # A request sends only cookies whose Path matches its own.
    return "sent" if path_match(source.path, cookie.path) else "other-path"


def _request_origin(exchange: Exchange) -> Origin:
    """Return where a request went, as its browser sees it."""
    path = exchange.path.partition("?")[0]
    try:
        return Origin.of(f"{exchange.scheme}://{exchange.host}{path}")
    except ValueError:  # any Host header may arrive
        return Origin(exchange.scheme, exchange.host.lower(), path)


def cookie_owner(name: str) -> CookieOwner:
    """Return the owner of the cookie with this name."""
    lab = str(settings.LAB)
    if name == settings.SESSION_COOKIE_NAME and has_sessions():
        return CookieOwner("session", "this lab's session key")
    if name == settings.CSRF_COOKIE_NAME:
        return CookieOwner("csrf", "Django's, against forged forms")
    # The first number counts: the text after it may be a visitor's input.
    number = re.search(f"_({re.escape(lab)}|[0-9]{{2}})(?=_|$)", name)
    if number and number[1] == lab:
        return CookieOwner("lab", "this lab's own")
    if number and number[1] in _lab_numbers():
        return CookieOwner("other-lab", f"lab {number[1]}'s: cookies ignore ports")
    return CookieOwner("unknown", "not this lab's")


def _lab_numbers() -> list[str]:
    try:
        return [lab.number for lab in catalog().labs]
    except CatalogError:
        return []


def request_cookies(exchange: Exchange) -> list[tuple[str, str, int, CookieOwner]]:
    """Return (name, value, bytes of both, owner) of the request's cookies, this lab's first."""
    found = []
    for name, value in exchange.sent_cookies():
        # WSGI shows the header's bytes as Latin-1.
        raw_name, raw_value = (text.encode("latin-1", "replace") for text in (name, value))
        shown = raw_name.decode("utf-8", "replace"), raw_value.decode("utf-8", "replace")
        found.append((*shown, len(raw_name + raw_value), cookie_owner(shown[0])))
    return sorted(found, key=lambda cookie: not cookie[-1].is_this_lab)


def response_cookies(exchange: Exchange) -> list[ResponseCookie]:
    """Return the cookies that the response sets or deletes."""
    return [ResponseCookie(line, exchange) for line in exchange.set_cookies]


_ABSENT = {  # attribute -> the meaning of its absence
    "Max-Age": "a session cookie: the browser deletes it when it closes",
    "HttpOnly": "scripts on the page can read and change it",
    "Secure": "also sent over plain HTTP",
    "SameSite": "browsers treat it as Lax",
}
_PRESENT = {  # attribute, or attribute=value -> meaning
    "HttpOnly": "scripts cannot read it",
    "Secure": "sent only over HTTPS, and to this machine itself",
    "SameSite": "not a valid value, so browsers treat it as Lax",
    "SameSite=Lax": "from other sites, sent with a link but not with a form or an image",
    "SameSite=Strict": "never sent with requests from other sites",
    "SameSite=None": "also sent with requests from other sites",
}
REFUSED = "without effect, because browsers refuse the cookie"
_DELETES = "in the past: the browser deletes its cookie with this name, Path and Domain"


def explain_attributes(
    found: dict[str, str], cookie: Cookie | None, at: float
) -> Iterator[tuple[str, str, str]]:
    """Yield (name, text, meaning) of each attribute, such as ("Domain", "no Domain", …).

    found: {lower-case name: value}; cookie: the one that a browser makes of them at `at`, POSIX
    seconds, or None if it refuses it.
    """
    for name in ("Max-Age", "Path", "Domain", "HttpOnly", "Secure", "SameSite"):
        if name == "Max-Age" and "expires" in found and not _is_number(found):
            name = "Expires"  # noqa: PLW2901 then it counts
        value = found.get(name.lower())
        text = f"no {name}" if value is None else f"{name}={value}" if value else name
        yield name, text, _meaning(name, value, cookie, at)


def _is_number(found: dict[str, str]) -> bool:
    """Return whether there is a Max-Age that browsers understand; it counts before Expires."""
    return read_expiry({"max-age": found.get("max-age", "")}, 0) is not None


def _meaning(name: str, value: str | None, cookie: Cookie | None, at: float) -> str:
    if name == "Path":
        return REFUSED if cookie is None else _path_meaning(value, cookie)
    if name == "Domain":
        return REFUSED if cookie is None else _domain_meaning(value, cookie)
    if name not in {"Max-Age", "Expires"}:
        if value is None:
            return _ABSENT[name]
        return _PRESENT.get(f"{name}={value.title()}", _PRESENT[name])
    if cookie is None:
        return REFUSED
    if value is not None and read_expiry({name.lower(): value}, at) is None:
        kind = "a number" if name == "Max-Age" else "a date"
        return f"not {kind} that browsers understand, so it is without effect"
    if cookie.expires is None:
        return _ABSENT["Max-Age"]
    if cookie.expired(at):
        return _DELETES
    limit = ", the longest that browsers allow" if cookie.expires - at >= MAX_AGE else ""
    return f"the browser keeps it for {duration(round(cookie.expires - at))}{limit}"


def _path_meaning(value: str | None, cookie: Cookie) -> str:
    where = "every URL of this host" if cookie.path == "/" else f"URLs below {cookie.path} alone"
    if value is None or value == cookie.path:
        return f"sent to {where}"
    return f"not a path, so the browser takes the request's: sent to {where}"


def _domain_meaning(value: str | None, cookie: Cookie) -> str:
    if cookie.host_only:
        return f"sent to {cookie.domain} alone, on every port"
    return f"sent to {cookie.domain} and all hosts below it"
