"""Handle sessions in which Django cannot read its own entries for the expiry or the login.

Django itself reads the entries for the expiry and the login, so a lab cannot check them first.
"""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from labkit.base.error_pages import error_page
from labkit.base.session_expiry import is_expiry_readable

CAUSE = "unreadable-session"


def is_unreadable(request: HttpRequest) -> bool:
    """Return whether this failed request used a session with entries that Django cannot read."""
    session = getattr(request, "session", None)
    if session is None or not session.accessed:
        return False
    data = session._session  # this reloads the data if Django dropped it after the failure
    if not data:
        return False
    return not (isinstance(data, dict) and is_expiry_readable(session) and _is_login_readable(data))


def _is_login_readable(data: dict[str, Any]) -> bool:
    if SESSION_KEY not in data or not apps.is_installed("django.contrib.auth"):
        return True
    try:
        get_user_model()._meta.pk.to_python(data[SESSION_KEY])
        str(data.get(HASH_SESSION_KEY)).encode()
    except (ValidationError, OverflowError, UnicodeError):
        return False
    return True


def start_again(request: HttpRequest) -> HttpResponse:
    """Delete the session and its cookie; return 400 with a page that reports this."""
    request.session.flush()
    title = "Your session could not be read"
    sentence = "Something other than this lab has changed it, so it was deleted."
    response = error_page(request, 400, title, sentence, "Start again.", CAUSE)
    response.delete_cookie(
        settings.SESSION_COOKIE_NAME,
        path=settings.SESSION_COOKIE_PATH,
        domain=settings.SESSION_COOKIE_DOMAIN,
        samesite=settings.SESSION_COOKIE_SAMESITE,
    )
    return response
