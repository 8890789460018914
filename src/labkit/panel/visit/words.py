"""Describe the events of a timeline in words, for its labels and its table."""

from datetime import UTC, datetime

from django.utils import timezone

from labkit.panel.exchange_words import time_of_day
from labkit.panel.visit.bars import Bar, Event, Mark
from labkit.panel.visit.timeline import Timeline
from labkit.text_format import duration, exact_duration

DAY, HALF_A_DAY = 86_400, 43_200  # seconds
LONGEST_NAME = 22  # characters
KINDS = {"row": "row", "entry": "cache entry", "file": "file"}
_EVENTS = {
    Event.FOUND: "{what} existed before these requests. Its expiry is unknown.",
    Event.SET: "{what} is stored.",
    Event.EXPIRED: "{what} expires. A later request has confirmed this.",
    Event.DELETED: "{what} is deleted.",
    Event.CLEARED: "{what} is deleted, because it has expired.",
    Event.NOT_DELETED: "{what} is not deleted, because the deletion has a different Path.",
    Event.NOT_SENT: (
        "{what} was not sent, although it had not expired: the browser was closed, its cookies "
        "were deleted, or the browser blocks cookies."
    ),
    Event.REFUSED: "{what} is refused by browsers: {text}.",
    Event.GONE: "{what} is no longer there, although it had not expired.",
    Event.REVIVED: "{what} is valid again, because the server's clock moved back.",
}
_EXPIRED_ALREADY = "{what} expires. No request has confirmed this yet."
_EXPIRES_LATER = "{what} will expire, unless it is renewed or deleted before."
CONTROLS = {
    "reset": "The lab was reset.",
    "cookie": "The panel changed a cookie in this browser.",
    "entry": "The panel changed an entry of this browser's session.",
}
_HINTS = {
    Event.DELETED: "deleted",
    Event.CLEARED: "expired, then deleted",
    Event.NOT_SENT: "no longer sent",
    Event.REFUSED: "refused",
    Event.GONE: "no longer there",
}


def moment(seconds: float, now: float) -> str:
    """Return a time such as 09:02:00, or a date such as 21 Jan 2030 if it is far from `now`."""
    if abs(seconds - now) < HALF_A_DAY:
        return time_of_day(seconds)
    local = timezone.localtime(datetime.fromtimestamp(seconds, UTC))
    return f"{local.day} {local:%b %Y}"


def label(bar: Bar) -> str:
    """Return a bar's short name, such as "row 3f9a2b…"."""
    if bar.place == "store":
        return f"{KINDS[bar.kind]} {bar.name[:6]}…"
    return bar.name if len(bar.name) <= LONGEST_NAME else f"{bar.name[: LONGEST_NAME - 1]}…"


def hint(bar: Bar, shown: Timeline) -> str:
    """Return a few words about how a bar ends, to show to the right of it."""
    end, last = bar.predicted, bar.marks[-1].event
    if end is not None:
        is_browser = bar.place == "browser"
        time = end.real if is_browser else end.server
        text = moment(time, shown.now.real if is_browser else shown.now.server)
        if shown.clocks.order(end) > shown.clocks.order(shown.now):
            return f"expires {text}"
        return f"expired {text}{_still_there(bar)}"
    if last is Event.EXPIRED:
        at = bar.marks[-1].point
        time = at.real if bar.place == "browser" else at.server
        return f"expired {time_of_day(time)}{_still_there(bar)}"
    if bar.is_open and last is not Event.REFUSED:
        if bar.place == "store":
            return "expiry unknown" if last is Event.FOUND else "does not expire"
        return "expiry unknown" if last is Event.FOUND else "until the browser closes"
    return _HINTS.get(last, "")


def _still_there(bar: Bar) -> str:
    return f", {KINDS[bar.kind]} still there" if bar.kind in {"row", "file"} else ""


def describe_mark(bar: Bar, mark: Mark, shown: Timeline) -> str:
    """Return a sentence about an event."""
    if mark.event is Event.PREDICTED:
        is_past = shown.clocks.order(mark.point) <= shown.clocks.order(shown.now)
        text = _EXPIRED_ALREADY if is_past else _EXPIRES_LATER
    else:
        text = _EVENTS[mark.event]
    return text.format(what=_what(bar), text=mark.text)


def describe_open_end(bar: Bar) -> str:
    """Return a sentence about a cookie or session without a known expiry."""
    if bar.marks[-1].event is Event.FOUND:
        return f"{_what(bar)} still exists. Its expiry is unknown."
    if bar.place == "browser":
        return f"{_what(bar)} has no expiry. The browser deletes it when it closes."
    return f"{_what(bar)} does not expire in the store."


def _what(bar: Bar) -> str:
    if bar.place == "store":
        return f"The {KINDS[bar.kind]} {bar.name[:6]}…"
    return f"The cookie {bar.name}"


def describe_move(seconds: float) -> str:
    """Return a sentence about a jump of the server's clock."""
    direction = "forward" if seconds > 0 else "back"
    return (
        f"The server's clock moved {direction} by {distance(seconds)}. The browser's clock did not."
    )


def distance(seconds: float) -> str:
    """Return a number of seconds without its sign, such as "1 day, 2 minutes"."""
    return exact_duration(abs(round(seconds))) or "less than a second"


def short_distance(seconds: float) -> str:
    """Return a period in a few words, such as "1 minute 40 seconds" or "364 days"."""
    days = round(seconds / DAY)
    return duration(DAY * days if days > 1 else round(seconds))
