"""The facts about this visitor's session that the pages show."""

from django.conf import settings
from django.utils import timezone

from lab import session_rows, storage
from lab.forms import POLICIES
from labkit.base.session_times import clock_time

UNKNOWN_KEY = (
    "Your browser sent a session key that matches no session: it has expired, or was deleted, "
    "corrupted or never issued here."
)


def describe(session):
    """Return when the session expires according to each source, as (question, answer) pairs."""
    written = storage.last_write(session)
    if written is None:
        return []
    age = session.get_expiry_age(modification=written)
    expiry = clock_time(storage.real_expiry(session))
    at_close = session.get_expire_at_browser_close()
    every_request = settings.SESSION_SAVE_EVERY_REQUEST
    row = session_rows.row_expiry(session.session_key)
    if row:
        row = clock_time(row) + (", until this visit is saved" if every_request else "")
    return [
        ("You chose", dict(POLICIES).get(session.get("policy"), "nothing yet")),
        ("_session_expiry in the session", session.get("_session_expiry", "not there")),
        ("Last write", clock_time(written)),
        ("Last write + age: its real end", expiry),
        ("Really left", f"{storage.seconds_left(session)} seconds"),
        ("get_expiry_age()", f"{session.get_expiry_age()} seconds"),
        ("get_expiry_date()", clock_time(session.get_expiry_date())),
        ("get_expire_at_browser_close()", at_close),
        ("The row's expire_date", row or session_rows.missing_rows() or "There is no row."),
        ("The cookie was given", "no end" if at_close else f"Max-Age={age}, so until {expiry}"),
        ("SESSION_SAVE_EVERY_REQUEST", "on: this visit was a write" if every_request else "off"),
    ]


def notice(request):
    """Return what is wrong with this visitor's session, or None."""
    if "written" in request.session:
        if session_rows.missing_rows() and storage.seconds_left(request.session) < 0:
            return "This session is over, but the engine in use has not looked at the time."
        return None
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if key is None:
        return (
            "Your browser brought no session key. Either you had no session yet, or it has ended "
            "and its cookie with it: the server cannot tell which."
        )
    # For a key that matches no session, Django starts an empty one, without "written".
    expiry = session_rows.row_expiry(key)
    if expiry and expiry <= timezone.now():
        return f"Your session expired at {clock_time(expiry)}, but its row is still in the table."
    return UNKNOWN_KEY
