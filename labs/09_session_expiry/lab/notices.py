"""The notices about an expired or missing session."""

from django.conf import settings
from django.utils import timezone

from lab import session_rows, storage
from labkit.base.notices import UNKNOWN_KEY
from labkit.base.session_expiry import clock_time

UNREADABLE = (
    "Something other than this lab has changed your session. It cannot be read: choose an expiry."
)
NO_KEY = (
    "Your browser sent no session key: you had no session yet, or it expired and the browser "
    "deleted its cookie."
)
EXPIRED_BUT_LOADED = "This session has expired, but the engine in use does not check the time."


def notice(request):
    """Return what is wrong with this visitor's session, or None."""
    if storage.last_write(request.session):
        if session_rows.missing_rows() and storage.seconds_left(request.session) < 0:
            return EXPIRED_BUT_LOADED
        return None
    if request.session.keys():
        return UNREADABLE
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if key is None:
        return NO_KEY
    # For a key that matches no session, Django starts an empty session.
    expiry = session_rows.row_expiry(key)
    if expiry and expiry <= timezone.now():
        return f"Your session expired at {clock_time(expiry)}, but its row is still in the table."
    return UNKNOWN_KEY
