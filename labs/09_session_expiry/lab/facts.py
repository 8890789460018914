"""What the pages say of this visitor's session."""

from django.conf import settings
from django.utils import timezone

from lab import rows, storage
from lab.forms import POLICIES
from labkit.base.session_times import clock_time


def describe(session):
    """Answer what holds now, as (question, answer) pairs."""
    written = storage.last_write(session)
    if written is None:
        return []
    age, end = session.get_expiry_age(modification=written), clock_time(storage.real_end(session))
    closing = session.get_expire_at_browser_close()
    every = settings.SESSION_SAVE_EVERY_REQUEST
    row = rows.end(session.session_key)
    if row:
        row = clock_time(row) + (", till this visit is saved" if every else "")
    return [
        ("You chose", dict(POLICIES).get(session.get("policy"), "nothing yet")),
        ("_session_expiry in the session", session.get("_session_expiry", "not there")),
        ("Last write", clock_time(written)),
        ("Last write + age: its real end", end),
        ("Really left", f"{storage.seconds_left(session)} seconds"),
        ("get_expiry_age()", f"{session.get_expiry_age()} seconds"),
        ("get_expiry_date()", clock_time(session.get_expiry_date())),
        ("get_expire_at_browser_close()", closing),
        ("The row's expire_date", row or rows.kept_elsewhere() or "There is no row."),
        ("The cookie was given", "no end" if closing else f"Max-Age={age}, so until {end}"),
        ("SESSION_SAVE_EVERY_REQUEST", "on: this visit was a write" if every else "off"),
    ]


def notice(request):
    """Say what is wrong with this visitor's session, or nothing if all is well."""
    if "written" in request.session:
        if rows.kept_elsewhere() and storage.seconds_left(request.session) < 0:
            return "This session is over, but the engine in use has not looked at the time."
        return None
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if key is None:
        return (
            "Your browser brought no session key. Either you had no session yet, or it has ended "
            "and its cookie with it: the server cannot tell which."
        )
    end = rows.end(key)
    if end and end <= timezone.now():
        return f"Your session ended at {clock_time(end)}. Its row is still there and opens nothing."
    return "Your browser brought a key that opens nothing: ended, deleted, damaged or unknown."
