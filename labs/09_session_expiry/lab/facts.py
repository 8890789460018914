"""The facts about this visitor's session that the pages show."""

from django.conf import settings

from lab import session_rows, storage
from lab.forms import POLICIES
from labkit.base.session_expiry import clock_time, duration

WRITTEN = "on: this request saved the session"
AT_CLOSE = "until the browser closes"


def figures(session):
    """Return the times that the pages compare: (name, where the time is stored, label, time)."""
    if storage.last_write(session) is None:
        return []
    left = storage.seconds_left(session)
    words = duration(left) if left >= 0 else f"expired {duration(-left)} ago"
    cookie = AT_CLOSE if session.get_expire_at_browser_close() else words
    return [
        ("cookie_left", "browser", "Time left: cookie", cookie),
        ("left", "store", "Time left: session", words),
        ("age", "server", "get_expiry_age()", duration(session.get_expiry_age())),
    ]


def describe(session):
    """Return details about the session's expiry: (name, label, value)."""
    written = storage.last_write(session)
    if written is None:
        return []
    age = session.get_expiry_age(modification=written)
    expiry = clock_time(storage.real_expiry(session))
    at_close = session.get_expire_at_browser_close()
    every_request = settings.SESSION_SAVE_EVERY_REQUEST
    row = session_rows.row_expiry(session.session_key)
    if row:
        row = clock_time(row) + (", until this request saves it" if every_request else "")
    row = row or session_rows.missing_rows() or "There is no row."
    cookie = "no expiry" if at_close else f"Max-Age={age}, so until {expiry}"
    return [
        ("chosen", "You chose", dict(POLICIES).get(str(session.get("policy")), "nothing yet")),
        ("entry", "_session_expiry in the session", session.get("_session_expiry", "not there")),
        ("written", "Last write", clock_time(written)),
        ("expiry", "Last write + age: the real expiry", expiry),
        ("date", "get_expiry_date()", clock_time(session.get_expiry_date())),
        ("at_close", "get_expire_at_browser_close()", at_close),
        ("row", "The row's expire_date", row),
        ("cookie", "The cookie's expiry", cookie),
        ("every_request", "SESSION_SAVE_EVERY_REQUEST", WRITTEN if every_request else "off"),
    ]
