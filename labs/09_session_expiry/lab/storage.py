"""This visitor's session: how it shall end, and when it really does."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

THREE_MINUTES = timedelta(minutes=3)


def choose(session, policy):
    """Let the session end in this way from now on."""
    if policy == "none":
        session.set_expiry(None)
    elif policy == "datetime":
        session.set_expiry(timezone.now().replace(second=0, microsecond=0) + THREE_MINUTES)
    elif policy == "timedelta":
        session.set_expiry(THREE_MINUTES)
    else:
        session.set_expiry(int(policy))
    session["policy"] = policy
    touch(session)


def touch(session):
    """Write the time, as text: a session keeps JSON, and JSON knows no dates."""
    session["written"] = timezone.now().isoformat()


def last_write(session):
    """Return when the session was last written, or nothing where there is none."""
    if "written" not in session:
        return None
    if settings.SESSION_SAVE_EVERY_REQUEST:
        return timezone.now()  # this very request is a write
    return datetime.fromisoformat(session["written"])


def real_end(session):
    """Return the last write plus the age. Not told of the write, Django reckons from now."""
    return session.get_expiry_date(modification=last_write(session))


def seconds_left(session):
    """Return the seconds till the real end."""
    return round((real_end(session) - timezone.now()).total_seconds())
