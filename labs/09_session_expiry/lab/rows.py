"""The rows of django_session: what lies on the server, also when a session has ended."""

from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from labkit.base.session_times import clock_time

MOST = 100  # rows on the page


def kept_elsewhere():
    """Say so if the engine in use keeps no rows, or nothing if it does."""
    engine = settings.SESSION_ENGINE.rpartition(".")[2]
    if engine not in {"db", "cached_db"}:
        return f"The engine in use, {engine}, keeps no rows in django_session."


def end(key):
    """Return when the row of this key ends or ended, or nothing if there is no such row."""
    if kept_elsewhere():
        return None
    return Session.objects.filter(session_key=key).values_list("expire_date", flat=True).first()


def everybodys(key):
    """Return (beginning of the key, is it yours, end, state) of each row, the latest end first."""
    if kept_elsewhere():
        return []
    # A whole key would open another visitor's session.
    return [
        (row.session_key[:6], row.session_key == key, clock_time(row.expire_date), state(row))
        for row in Session.objects.order_by("-expire_date")[:MOST]
    ]


def state(row):
    """Say how long the row is valid, or since when it is not."""
    left = (row.expire_date - timezone.now()).total_seconds()
    return f"{left:.0f} seconds left" if left > 0 else f"expired {-left:.0f} seconds ago"


def clear_expired(session):
    """Do what `manage.py clearsessions` does; return how many rows went."""
    expired = Session.objects.filter(expire_date__lt=timezone.now())
    gone = 0 if kept_elsewhere() else expired.count()
    session.clear_expired()
    return gone
