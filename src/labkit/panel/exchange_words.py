"""Describe an exchange in a few words, for the summary bar and lists of exchanges."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, NamedTuple

from django.conf import settings
from django.utils import timezone

from labkit.panel.cookie_explanations import CookieEffect, cookie_effects
from labkit.panel.exchange_outcome import Outcome, SessionEvent
from labkit.panel.models import Exchange
from labkit.panel.session_memory import KeyFate
from labkit.text_format import and_more

LONGEST_PATH = 60  # characters
LONGEST_NAME = 40  # the maximum number of characters of a cookie's name
MOST_NAMES = 3  # further cookies are counted but not named
SEPARATOR = " · "
_NOT_SAVED = "session changed but not saved"
_SESSION = {
    SessionEvent.UNTOUCHED: "session not used",
    SessionEvent.READ: "session loaded",
    SessionEvent.CREATED: "session created",
    SessionEvent.SAVED: "session saved",
    SessionEvent.NEW_KEY: "session saved under a new key",
    SessionEvent.REPLACED: "session deleted and a new one created",
    SessionEvent.DELETED: "session deleted",
    SessionEvent.DISCARDED: _NOT_SAVED,
    SessionEvent.NOT_DELIVERED: "session saved in a cookie that was not sent",
    SessionEvent.CHANGE_LOST: _NOT_SAVED,
    SessionEvent.DELETED_BY_OTHER: "session not saved: another request deleted it",
    SessionEvent.SAVE_FAILED: "session not saved: the store failed",
    SessionEvent.LOAD_FAILED: "session not loaded: the store failed",
}
_NO_SESSION = "no session"  # but code used request.session
_KEY = {
    KeyFate.EXPIRED: "session expired{at}",
    KeyFate.DELETED: "session was deleted earlier",
    KeyFate.GONE: "session no longer in the store",
    KeyFate.UNKNOWN: "session key matches no session",
    KeyFate.TOO_SHORT: "session key too short",
    KeyFate.BAD_SIGNATURE: "session cookie has an invalid signature",
}
_FAILURES = {SessionEvent.DELETED_BY_OTHER, SessionEvent.SAVE_FAILED, SessionEvent.LOAD_FAILED}


class Words(NamedTuple):
    """A part of the summary. `place` says what the part is about."""

    text: str
    place: Literal["wire", "store", "browser"]
    key: str = ""  # the key of the status, SessionEvent or CookieEffect that this part describes


def summarize(exchange: Exchange) -> str:
    """Return a one-line summary of an exchange."""
    words = summary_words(Outcome(exchange), cookie_effects(exchange))
    return SEPARATOR.join(each.text for each in words)


def summary_words(outcome: Outcome, effects: dict[CookieEffect, list[str]]) -> tuple[Words, ...]:
    """Return the parts of the summary: request, status, session, and the names of cookies.

    Django's CSRF cookie is omitted.
    """
    exchange = outcome.exchange
    session = session_words(outcome) if exchange.engine else ""
    cookies = tuple((effect, *names) for effect, names in effects.items())
    return _words(request_line(exchange), str(exchange.status), session, outcome.event, cookies)


@lru_cache(maxsize=256)
def _words(
    line: str, status: str, session: str, event: SessionEvent, cookies: tuple[tuple[str, ...], ...]
) -> tuple[Words, ...]:
    """Return the parts of a summary; they are cached, since most summaries are the same."""
    parts = [Words(line, "wire"), Words(status, "wire", status)]
    if session:
        parts.append(Words(session, "store", event))
    for effect, *names in cookies:
        if names := [name for name in names if name != settings.CSRF_COOKIE_NAME]:
            parts.append(Words(f"{CookieEffect(effect).verb} {_list(names)}", "browser", effect))
    return tuple(parts)


def request_line(exchange: Exchange) -> str:
    """Return the method and the path, which is truncated if it is long."""
    return f"{exchange.method} {_cut(exchange.path, LONGEST_PATH)}"


def session_words(outcome: Outcome) -> str:
    """Return what happened to the visitor's session, in a few words."""
    event = outcome.event
    if event not in _FAILURES and outcome.exchange.modified and outcome.error_response:
        return _NOT_SAVED
    if event is SessionEvent.EMPTY:  # described as if the session had not changed
        event = SessionEvent.READ if outcome.accessed else SessionEvent.UNTOUCHED
    key = key_words(outcome)
    if event is SessionEvent.READ and not outcome.was_stored:
        return key or _NO_SESSION
    return f"{key}, {_SESSION[event]}" if key else _SESSION[event]


def key_words(outcome: Outcome) -> str:
    """Return why the key that was sent matches no session, or "" if it matches one."""
    if outcome.key_fate is None:
        return ""
    return _KEY[outcome.key_fate].format(at=at_time(outcome.expired_at))


def at_time(seconds: float | None) -> str:
    """Return " at 09:53:07" for POSIX seconds, in the current time zone; "" for None."""
    return "" if seconds is None else f" at {time_of_day(seconds)}"


def time_of_day(seconds: float) -> str:
    """Return the time of day, such as 09:53:07, of a POSIX timestamp in the current time zone."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{timezone.localtime(moment):%H:%M:%S}"


def _list(names: list[str]) -> str:
    shown = ", ".join(_cut(name, LONGEST_NAME) for name in names[:MOST_NAMES])
    return shown + and_more(len(names) - MOST_NAMES + 1)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
