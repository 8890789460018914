"""The instructor's controls: move the clock, reset the lab, change a cookie or session entry."""

import json
import secrets
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from labkit import session_stores
from labkit.base.foreign_database import refuse_foreign_database
from labkit.base.session_expiry import is_expiry_readable
from labkit.panel import server_clock
from labkit.panel.access import is_local_instructor
from labkit.panel.cookie_explanations import cookie_owner
from labkit.panel.exchange_log import log

STEPS = {  # seconds
    "60": "+1 minute",
    "120": "+2 minutes",
    "300": "+5 minutes",
    "86400": "+1 day",
    "1209600": "+2 weeks",
}
# Sent by each form of the panel, as a CSRF token. Not in a cookie, since the panel sets none.
KEY = secrets.token_urlsafe(24)
CLOCK_IS_REAL = "The server's clock is back at the real time."
FOREIGN_COOKIE = "Your browser has no cookie of this lab by that name."
BAD_VALUE = "A cookie's value has no spaces, quotes, commas, semicolons or accents."
TOO_LONG = "A cookie has at most 4096 bytes."


BAD_EXPIRY = "Django reads _session_expiry as seconds, or as text: a date, a time and a zone."
BAD_JSON = "This is not JSON. {example}"
JSON_EXAMPLE = 'Examples: 5, "five", {"apple": 500}'


class NotAllowed(Exception):
    """A control was refused; the message says why, in a sentence."""


class InvalidValue(NotAllowed):
    """The value typed into a control cannot be used; the panel says why beside the field."""


def check(request: HttpRequest) -> None:
    """Raise NotAllowed unless the panel's own form sent this request, from this machine."""
    if not is_local_instructor(request):
        raise NotAllowed("Only the machine that runs the lab may do this, under its own name.")
    origin = request.META.get("HTTP_ORIGIN")
    if origin is not None and urlsplit(origin).netloc != request.META.get("HTTP_HOST"):
        raise NotAllowed("This form came from another site.")
    if not secrets.compare_digest(request.POST.get("key", "").encode(), KEY.encode()):
        raise NotAllowed("Open the panel again, then send this form once more.")


def move_clock(by: str) -> str:
    """Move the server's clock by one of STEPS, or back to "now". Return what was done.

    Raises NotAllowed for anything else.
    """
    if by == "now":
        server_clock.back_to_now()
        return CLOCK_IS_REAL
    if by not in STEPS:
        raise NotAllowed("The clock does not move by that.")
    server_clock.forward(int(by))
    return (
        f"The server's clock moved by {STEPS[by]}. The browser's did not: it keeps and sends its "
        "cookies as before."
    )


def reset(request: HttpRequest, response: HttpResponse) -> None:
    """Delete what this lab stores: rows, files, cache entries, and its cookies in this browser.

    Raises NotAllowed if the database is another project's.
    """
    if settings.DATABASES.get("default", {}).get("NAME"):
        from django.core.management import CommandError, call_command

        try:
            refuse_foreign_database()
        except CommandError as error:
            raise NotAllowed(f"{error}.") from None
        call_command("flush", interactive=False, verbosity=0)
    if "entry" in session_stores.kinds():  # REDIS_URL may name a server that this engine ignores
        session_stores.wipe_cache()
    if folder := getattr(settings, "SESSION_FILE_PATH", None):
        session_stores.wipe_files(folder)
    for name in cookie_names(request):
        _set_cookie(response, name, None)
    server_clock.back_to_now()
    log.clear()


def cookie_names(request: HttpRequest) -> list[str]:
    """Return the names of this browser's cookies that are this lab's."""
    return [name for name in request.COOKIES if cookie_owner(name).is_this_lab]


def change_cookie(request: HttpRequest, response: HttpResponse) -> str:
    """Change or delete one of this lab's cookies in this browser. Return what was done.

    Raises InvalidValue for another cookie, and for a value that a cookie cannot have.
    """
    name = request.POST.get("cookie", "")
    if name not in cookie_names(request):
        raise InvalidValue(FOREIGN_COOKIE)
    if "delete" in request.POST:
        _set_cookie(response, name, None)
        return f"The cookie {name} is deleted."
    value = request.POST.get("value", "")
    if not value.isascii() or not value.isprintable() or set(value) & set(' ",;\\'):
        raise InvalidValue(BAD_VALUE)
    if len(name) + len(value) > 4096:
        raise InvalidValue(TOO_LONG)
    _set_cookie(response, name, value)
    return f"The cookie {name} is now {value or 'empty'}, until the browser closes."


def _set_cookie(response: HttpResponse, name: str, value: str | None) -> None:
    """Change a cookie of this lab until the browser closes; None deletes it."""
    max_age = 0 if value is None else None
    response.set_cookie(name, value or "", max_age, httponly=True, samesite="Lax")


def entries(request: HttpRequest) -> list[str]:
    """Return the names in this browser's session; none if it has none or the store fails."""
    try:
        return list(_open_session(request).keys()) if session_stores.has_sessions() else []
    except Exception:  # the panel opens even if the store fails
        return []


def _open_session(request: HttpRequest) -> Any:
    return session_stores.session_store()(request.COOKIES.get(settings.SESSION_COOKIE_NAME))


def change_entry(request: HttpRequest) -> str:
    """Change or delete one entry of this browser's session in the store. Return what was done.

    Raises NotAllowed if there is no session to change, InvalidValue for one that cannot be saved.
    """
    store = _open_session(request)
    if "cookie" in session_stores.kinds():
        raise NotAllowed("With this engine the session is the cookie, and the cookie is signed.")
    if not store.keys():
        raise NotAllowed("Your browser has no session.")
    entry = request.POST.get("entry", "")
    if "delete" in request.POST:
        store.pop(entry, None)
        _save(store)
        return f"The entry {entry} is deleted."
    try:
        store[entry] = json.loads(request.POST.get("value", ""))
    except (ValueError, RecursionError):
        raise InvalidValue(BAD_JSON.format(example=JSON_EXAMPLE)) from None
    _save(store)
    return f"The entry {entry} is now {store[entry]!r}. That was a write."


def _save(store: Any) -> None:
    if not is_expiry_readable(store):
        raise InvalidValue(BAD_EXPIRY)
    try:
        store.save()
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidValue(f"Django cannot save the session with this: {error}.") from None
