"""Find out when the session middleware saves the session."""

from django.conf import settings

EMPTY = "it has neither an entry nor a key, so there is nothing to save."
COOKIE_DELETED = "The response deletes the browser's cookie."
MODIFIED = "session.modified is True. The response sends the cookie."
EVERY_REQUEST = "session.modified is False, but SESSION_SAVE_EVERY_REQUEST is on."
UNMODIFIED = "session.modified is False, and SESSION_SAVE_EVERY_REQUEST is off."


def will_be_saved(request):
    """Return whether the middleware will save the session before it sends the response, and why."""
    if request.session.is_empty():
        sent = settings.SESSION_COOKIE_NAME in request.COOKIES
        return False, f"{EMPTY} {COOKIE_DELETED}" if sent else EMPTY
    if request.session.modified:
        return True, MODIFIED
    if settings.SESSION_SAVE_EVERY_REQUEST:
        return True, EVERY_REQUEST
    return False, UNMODIFIED
