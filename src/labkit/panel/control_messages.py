"""Messages of the controls, kept in memory until the instructor's next page shows one once.

Nothing of it is in a URL or a cookie.
"""

import threading
import time
from dataclasses import dataclass, field

from django.http import HttpRequest

from labkit.panel.models import Exchange

MOST = 100  # messages
SECONDS = 600  # then a message is out of date

Browser = tuple[str, str, str]  # peer, User-Agent, host


@dataclass(frozen=True)
class Message:
    """A sentence or two about what a control did."""

    control: str  # "clock", "reset", "cookie" or "entry"
    text: str
    about_store: bool = False  # false as soon as another request changes the store
    left_at: float = field(default_factory=time.monotonic)


_waiting: dict[Browser, Message] = {}
_lock = threading.Lock()


def _browser(request: HttpRequest) -> Browser:
    meta = request.META
    return meta["REMOTE_ADDR"], meta.get("HTTP_USER_AGENT", ""), meta.get("HTTP_HOST", "")


def leave(request: HttpRequest, message: Message | None) -> None:
    """Keep a message for the next page of this browser, in place of an earlier one."""
    browser = _browser(request)
    with _lock:
        _waiting.pop(browser, None)
        if message is not None:
            _waiting[browser] = message
        while len(_waiting) > MOST:
            del _waiting[next(iter(_waiting))]


def take(request: HttpRequest) -> Message | None:
    """Return the message that waits for this browser, and forget it."""
    if not _waiting:  # as nearly always
        return None
    with _lock:
        message = _waiting.pop(_browser(request), None)
    fresh = message is not None and time.monotonic() - message.left_at < SECONDS
    return message if fresh else None


def take_for_page(request: HttpRequest, exchange: Exchange) -> Message | None:
    """Return the message for the page of this exchange, and forget it; None if it may be false."""
    message = take(request)
    changed = exchange.method != "GET" or exchange.redirect is not None
    return None if message is not None and message.about_store and changed else message
