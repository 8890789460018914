"""Store the controls' messages until the instructor's next page shows them.

The messages are stored in memory, so that no URL or cookie contains them.
"""

import threading
import time
from dataclasses import dataclass, field

from django.http import HttpRequest

from labkit.panel.models import Exchange

MOST = 100  # messages
SECONDS = 600  # in seconds; after this time, a message is discarded

Browser = tuple[str, str, str]  # peer, User-Agent, host


@dataclass(frozen=True)
class Message:
    """A sentence or two about what a control did."""

    control: str  # the name of the control: "clock", "reset", "cookie" or "entry"
    text: str
    about_store: bool = False  # whether the text may become untrue when the store changes
    left_at: float = field(default_factory=time.monotonic)


_waiting: dict[Browser, Message] = {}
_lock = threading.Lock()


def _browser(request: HttpRequest) -> Browser:
    meta = request.META
    return meta["REMOTE_ADDR"], meta.get("HTTP_USER_AGENT", ""), meta.get("HTTP_HOST", "")


def leave(request: HttpRequest, message: Message | None) -> None:
    """Store a message for this browser's next page; it replaces an earlier one."""
    browser = _browser(request)
    with _lock:
        _waiting.pop(browser, None)
        if message is not None:
            _waiting[browser] = message
        while len(_waiting) > MOST:
            del _waiting[next(iter(_waiting))]


def take(request: HttpRequest) -> Message | None:
    """Return and delete the message for this browser, or return None."""
    if not _waiting:  # the usual case
        return None
    with _lock:
        message = _waiting.pop(_browser(request), None)
    fresh = message is not None and time.monotonic() - message.left_at < SECONDS
    return message if fresh else None


def take_for_page(request: HttpRequest, exchange: Exchange) -> Message | None:
    """Return and delete the message for this exchange's page; None if it may be out of date."""
    message = take(request)
    changed = exchange.method != "GET" or exchange.redirect is not None
    return None if message is not None and message.about_store and changed else message
