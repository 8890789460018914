"""The effects of an exchange that a recorded test checks: status, session and cookies."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from labkit.panel.cookie_explanations import CookieEffect, response_cookies
from labkit.panel.exchange_outcome import WRITTEN, Outcome, SessionEvent
from labkit.panel.models import Exchange

# A session key or a CSRF token, as Django generates them, in a URL or a form.
KEY = re.compile(r"(?<![0-9A-Za-z])(?:[0-9a-z]{32}|[0-9A-Za-z]{64})(?![0-9A-Za-z])")
NO_MATCH = "no-match"  # the session key that the browser sent matches no session


@dataclass(frozen=True)
class Effect:
    """The effect of one request: its status, and what happened to the session and the cookies.

    The CSRF cookie is left out.
    """

    request: str  # the method and the URL, in which … replaces a session key
    status: int
    session: str = ""  # a SessionEvent or NO_MATCH; "" if the session was not used
    sets: Mapping[str, Any] = field(default_factory=dict)  # {name: Max-Age in seconds, or None}
    deletes: list[str] = field(default_factory=list)  # names of deleted cookies
    # The names of cookies that browsers refuse, or keep in spite of a deletion.
    ignored: list[str] = field(default_factory=list)


def effect_of(exchange: Exchange) -> Effect:
    """Return the effect of an exchange."""
    cookies = [c for c in response_cookies(exchange) if c.name != settings.CSRF_COOKIE_NAME]
    by_effect: dict[CookieEffect, list[str]] = {}
    for cookie in sorted(cookies, key=lambda each: each.name):
        by_effect.setdefault(cookie.effect, []).append(cookie.name)
    return Effect(
        f"{exchange.method} {KEY.sub('…', exchange.path)}",
        exchange.status,
        session_effect(exchange),
        {
            cookie.name: round(cookie.life.whole) if cookie.life else None
            for cookie in cookies
            if cookie.effect is CookieEffect.SET
        },
        by_effect.get(CookieEffect.DELETED, []),
        by_effect.get(CookieEffect.NOT_DELETED, []) + by_effect.get(CookieEffect.REFUSED, []),
    )


def session_effect(exchange: Exchange) -> str:
    """Return what happened to the session: a SessionEvent, NO_MATCH, or "" for nothing."""
    if not exchange.engine:
        return ""
    outcome = Outcome(exchange)
    event = outcome.event
    unmatched = outcome.load is None or not outcome.load.found
    if event in {SessionEvent.READ, SessionEvent.EMPTY} and outcome.sent_key and unmatched:
        return NO_MATCH
    return "" if event is SessionEvent.UNTOUCHED else event.value


def stored_after(exchange: Exchange) -> dict[str, Any] | None:
    """Return the session's entries in the store, if the exchange tried to change them.

    Values have the types of JSON. Return None if nothing changed, or if the entries were too
    large for the log.
    """
    if not exchange.engine:
        return None
    outcome = Outcome(exchange)
    if outcome.event in WRITTEN or outcome.event is SessionEvent.DELETED:
        found = outcome.after
    elif outcome.event in {SessionEvent.CHANGE_LOST, SessionEvent.DISCARDED}:
        found = outcome.before
    else:
        return None
    return None if found is None else as_json(found)


def as_json(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return a session's entries as JSON stores them; other values are replaced with their repr."""
    found: dict[str, Any] = json.loads(json.dumps(dict(entries), default=repr))
    return found
