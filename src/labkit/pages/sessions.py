"""What a session says of itself, and what its row says: the two do not agree on the time."""

from datetime import datetime

from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone


def session_facts(session: SessionBase) -> list[tuple[str, str]]:
    """(question, answer) pairs on one visitor's session: its end, its key, the API's answers, its row.

    The row is read from django_session, one query; with an engine that keeps no row there the pairs
    say so. get_expiry_age() and get_expiry_date() reckon from the moment they are called and so never
    count down; the row holds the end that counts.
    https://docs.djangoproject.com/en/5.2/topics/http/sessions/#using-sessions-in-views
    """
    from django.contrib.sessions.models import Session  # noqa: PLC0415 a lab without sessions has no such table

    age = session.get_expiry_age()  # loads the session: a key that the server does not know is gone then
    row = Session.objects.filter(session_key=session.session_key).first()
    if row is None:
        return [("How long is left?", "There is no row in django_session yet: nothing was written.")]
    left = (row.expire_date - timezone.now()).total_seconds()
    with_browser = "Yes" if session.get_expire_at_browser_close() else "No"
    return [
        ("How long is left?", f"{left:.0f} seconds. The row says: until {clock_time(row.expire_date)}."),
        ("get_expiry_age() says", f"{age} seconds, at every call: it does not count down."),
        ("get_expiry_date() says", f"{clock_time(session.get_expiry_date())}: reckoned from now."),
        ("Does it end when the browser closes?", f"{with_browser}, says get_expire_at_browser_close()."),
        ("Session key, as in the cookie", row.session_key),
        ("session_data in the row", row.session_data),
        ("session_data decoded", f"{row.get_decoded()}: signed, so nobody can change it; not encrypted."),
    ]


def clock_time(moment: datetime) -> str:
    """Day, time and zone, such as 2026-11-21 10:17:03 UTC."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %Z}"
