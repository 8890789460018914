"""This visitor's session: the expiry that the visitor chose, and the real one."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

THREE_MINUTES = timedelta(minutes=3)


def set_policy(session, policy):
    """Set when the session expires, according to the visitor's choice."""
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
    """Store the time of this write, as text because JSON has no dates."""
    session["written"] = timezone.now().isoformat()


def last_write(session):
    """Return when the session was last saved, or None if no valid time is stored."""
    try:
        written = datetime.fromisoformat(session["written"])
        session.get_expiry_age(modification=written)  # fails if the chosen expiry is invalid
        session.get_expiry_date(modification=written) - timezone.now()
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    # If every request saves the session, this request writes it too.
    return timezone.now() if settings.SESSION_SAVE_EVERY_REQUEST else written


def real_expiry(session):
    """Return the last write plus the expiry age. Without `modification`, Django counts from now."""
    return session.get_expiry_date(modification=last_write(session))


def seconds_left(session):
    """Return the seconds until the real expiry."""
    return round((real_expiry(session) - timezone.now()).total_seconds())
