"""The rows of django_session, which the server keeps even after a session has expired."""

from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from labkit.base.session_expiry import clock_time, duration

MOST_ROWS = 100  # rows on the page


def missing_rows():
    """Return why the current engine stores no rows, or None if it does."""
    engine = settings.SESSION_ENGINE.rpartition(".")[2]
    if engine not in {"db", "cached_db"}:
        return f"The engine in use, {engine}, keeps no rows in django_session."


def row_expiry(key):
    """Return the expiry of the row with this key, or None if there is no such row."""
    if missing_rows():
        return None
    return Session.objects.filter(session_key=key).values_list("expire_date", flat=True).first()


def list_rows(own_key):
    """Return (start of key, is it yours, expiry, seconds left, in words) per row, latest first."""
    if missing_rows():
        return []
    # Anyone who sees a whole key can use it, so show only its start.
    return [
        (
            row.session_key[:6],
            row.session_key == own_key,
            clock_time(row.expire_date),
            seconds_left(row),
            time_left(seconds_left(row)),
        )
        for row in Session.objects.order_by("-expire_date")[:MOST_ROWS]
    ]


def seconds_left(row):
    return round((row.expire_date - timezone.now()).total_seconds())


def time_left(seconds):
    """Return how long a row remains valid, or how long ago it expired, in words."""
    return f"{duration(seconds)} left" if seconds > 0 else f"expired {duration(-seconds)} ago"


def clear_expired(session):
    """Do what `manage.py clearsessions` does, and return the number of deleted rows."""
    expired = Session.objects.filter(expire_date__lt=timezone.now())
    deleted = 0 if missing_rows() else expired.count()
    session.clear_expired()
    return deleted
