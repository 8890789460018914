"""Return when a session expires, according to its API and to its row, which can differ."""

from datetime import datetime

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

from labkit import session_stores
from labkit.text_format import duration

ENDS_WITH_THE_BROWSER = "Yes."
OUTLIVES_THE_BROWSER = "No, it is kept."
UNREADABLE_EXPIRY = "Both fail, because Django did not write the entry _session_expiry."
UNREADABLE = "Not readable: it is empty, damaged, or not from this lab"


def is_expiry_readable(session: SessionBase) -> bool:
    """Return whether Django can determine this session's expiry.

    Django cannot determine the expiry if something other than set_expiry() wrote the entry
    `_session_expiry`.
    """
    try:
        session.get_expiry_age()
        session.get_expiry_date()
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def session_facts(session: SessionBase) -> list[tuple[str, str]]:
    """Return (question, answer) pairs about a session: its expiry, its key and its row.

    This function executes one query on django_session. get_expiry_age() and get_expiry_date() start
    from the moment of the call, so they never count down. Django itself checks the expiry in the
    row.
    https://docs.djangoproject.com/en/5.2/topics/http/sessions/#using-sessions-in-views
    """
    api = _expiry_facts(session)  # this loads the session, so that Django drops an unknown key
    if "row" not in session_stores.kinds(settings.SESSION_ENGINE):
        engine = session_stores.engine_name(settings.SESSION_ENGINE)
        left = f"Unknown: the engine {engine} stores no row in django_session."
        return [("How much time is left?", left), *api]
    row = session_stores.rows().filter(session_key=session.session_key).first()
    if row is None:
        return [("How much time is left?", "There is no row in django_session yet.")]
    left = duration(round((row.expire_date - timezone.now()).total_seconds()))
    decoded = row.get_decoded() or UNREADABLE
    return [
        ("How much time is left?", f"{left}: the row expires at {clock_time(row.expire_date)}."),
        *api,
        ("Session key, the same as in the cookie", row.session_key),
        ("session_data in the row", row.session_data),
        ("session_data decoded", f"{decoded}. It is signed, but not encrypted."),
    ]


def _expiry_facts(session: SessionBase) -> list[tuple[str, str]]:
    if not is_expiry_readable(session):
        return [("get_expiry_age() and get_expiry_date()", UNREADABLE_EXPIRY)]
    age, at_close = session.get_expiry_age(), session.get_expire_at_browser_close()
    closing = ENDS_WITH_THE_BROWSER if at_close else OUTLIVES_THE_BROWSER
    return [
        ("get_expiry_age() says", f"{duration(age)}, on every call. It does not count down."),
        ("get_expiry_date() says", f"{clock_time(session.get_expiry_date())}, counted from now."),
        ("Does the session end when the browser closes?", closing),
    ]


def clock_time(moment: datetime) -> str:
    """Return this moment as a date, time and time zone, such as 2026-11-21 10:17:03 UTC."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %Z}"
