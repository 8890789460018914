"""The instructor's controls, which move the clock, reset the lab, or change a cookie or session."""

import functools
import json
import secrets
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse

from labkit import session_stores
from labkit.base.foreign_database import refuse_foreign_database
from labkit.base.session_expiry import is_expiry_readable
from labkit.panel import own_cookies, server_clock
from labkit.panel.access import host_name, is_local_instructor
from labkit.panel.cookie_explanations import cookie_owner
from labkit.panel.exchange_log import log
from labkit.text_format import duration, exact_duration, quantities

STEPS = {  # seconds
    "60": "+1 minute",
    "120": "+2 minutes",
    "300": "+5 minutes",
    "86400": "+1 day",
    "1209600": "+2 weeks",
}
CLOCK_IS_REAL = "The server's clock shows the real time again."
CLOCK_MOVED = "The server's clock moved by {distance}. The browser's clock did not."
EXPIRED_ROW = "The session in the store has expired. Its row is still there."
EXPIRED_ROW_SEEN = "After the clock moved, the expired session's row was still in the store."
LIVING_ROW = "The session in the store expires in {left}."
FOREIGN_COOKIE = "Your browser has no cookie of this lab with that name."
COOKIE_EXAMPLE = "Example: apple_5"
BAD_VALUE = (
    f"A value cannot contain spaces, quotes, commas, semicolons or accents. {COOKIE_EXAMPLE}"
)
TOO_LONG = "Name and value together may have at most 4096 bytes."
BAD_EXPIRY = (
    "Django reads _session_expiry as a number of seconds, or as a date and time with a time zone. "
    'Examples: 120, "2030-01-01T12:00:00+00:00"'
)
BAD_JSON = "This is not valid JSON. {example}"
JSON_EXAMPLE = 'Examples: 5, "five", {"apple": 500}'
SIGNED = "With this engine, the session is in the cookie, and a signature protects it."
NO_SESSION = "Your browser has no session."


class NotAllowed(Exception):
    """Raised if a control may not be used; the message is a sentence that says why."""


class InvalidValue(NotAllowed):
    """Raised if a control's field has an invalid value; the panel shows why next to the field."""


@functools.cache
def form_key() -> str:
    """Return a CSRF token for the panel's forms; each process makes its own at the first call.

    It is not in a cookie, since the panel sets no cookies.
    """
    return secrets.token_urlsafe(24)


def check(request: HttpRequest) -> None:
    """Raise NotAllowed unless this request was sent by the panel's own form on this machine."""
    if not is_local_instructor(request):
        raise NotAllowed("This works only on the lab's own machine, at 127.0.0.1 or localhost.")
    origin = request.META.get("HTTP_ORIGIN")
    if origin is not None and urlsplit(origin).netloc != request.META.get("HTTP_HOST"):
        raise NotAllowed("This form came from another site.")
    if not secrets.compare_digest(request.POST.get("key", "").encode(), form_key().encode()):
        raise NotAllowed("The server was restarted. Reload the page, then try again.")


def move_clock(by: str) -> str:
    """Move the server's clock by one of STEPS, or reset it if `by` is "now"; return a message.

    Raises NotAllowed for anything else.
    """
    if by == "now":
        server_clock.back_to_now()
        return CLOCK_IS_REAL
    if by not in STEPS:
        raise NotAllowed("The clock cannot be moved by this amount.")
    server_clock.forward(int(by))
    return CLOCK_MOVED.format(distance=exact_duration(int(by)))


def row_expiry(request: HttpRequest) -> float | None:
    """Return the number of seconds until the row of this browser's session expires.

    The result is negative if the row has expired, and None if there is no row or the store fails.
    """
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if not key or "row" not in session_stores.kinds():
        return None
    # Ignore errors, since the clock has been moved even if the store fails.
    with suppress(Exception):
        for record in session_stores.read(key):
            if record.expires is not None:
                return record.expires.timestamp() - time.time()
    return None


def row_sentence(left: float) -> str:
    """Return a sentence that says when a row expires, given the `left` seconds until then."""
    return LIVING_ROW.format(left=duration(round(left))) if left > 0 else EXPIRED_ROW


def reset(request: HttpRequest, response: HttpResponse) -> str:
    """Delete this lab's stored data, and its cookies in this browser; return a message.

    Raises NotAllowed if the database belongs to another project.
    """
    cookies = own_cookies.set_in_browser(request.headers.get("User-Agent", ""))
    mine = [*cookies.get(host_name(request).strip("[]"), ())]
    mine += map(own_cookies.OwnCookie.of_name, cookie_names(request))
    stored = quantities(**empty_stores())
    expired = own_cookies.expire(response, mine)
    return (
        f"The lab is reset. Deleted on the server: {stored}. Deleted in this browser: "
        f"{quantities(cookie=expired)}. {CLOCK_IS_REAL}"
    )


def empty_stores() -> dict[str, int]:
    """Reset this lab to its initial state on the server; return the numbers of deleted records.

    After this, the rows, session files, cache, log and clock are those of a new checkout. Raises
    NotAllowed if the database belongs to another project.
    """
    rows = entries = files = 0
    if settings.DATABASES.get("default", {}).get("NAME"):
        rows = _empty_database()
    # Without this check, Redis would be emptied even if the engine does not use it.
    if "entry" in session_stores.kinds():
        entries = session_stores.wipe_cache()
    if folder := getattr(settings, "SESSION_FILE_PATH", None):
        files = session_stores.wipe_files(folder)
    server_clock.back_to_now()
    log.clear()
    return {"row": rows, "file": files, "cache entry": entries}


def _empty_database() -> int:
    """Empty all tables; return the number of deleted rows. Raises NotAllowed as reset() does."""
    from django.core.management import CommandError, call_command

    try:
        refuse_foreign_database()
    except CommandError as error:
        raise NotAllowed(f"{error}.") from None
    before = _count_rows()
    call_command("flush", interactive=False, verbosity=0)
    return before - _count_rows()


def _count_rows() -> int:
    tables = set(connection.introspection.table_names())
    models = [model._meta for model in apps.get_models() if not model._meta.proxy]
    present = [meta for meta in models if meta.db_table in tables]  # some tables may not exist yet
    return sum(meta.base_manager.count() for meta in present)


def cookie_names(request: HttpRequest) -> list[str]:
    """Return the names of this lab's cookies in this browser."""
    return [name for name in request.COOKIES if cookie_owner(name).is_this_lab]


def change_cookie(request: HttpRequest, response: HttpResponse) -> str:
    """Change or delete one of this lab's cookies in this browser; return a message.

    Raises InvalidValue for any other cookie, and for a value that a cookie cannot have.
    """
    name = request.POST.get("cookie", "")
    if name not in cookie_names(request):
        raise InvalidValue(FOREIGN_COOKIE)
    if "delete" in request.POST:
        _set_cookie(response, name, None)
        return f"Deleted the cookie {name}."
    value = request.POST.get("value", "")
    if not value.isascii() or not value.isprintable() or set(value) & set(' ",;\\'):
        raise InvalidValue(BAD_VALUE)
    if len(name) + len(value) > 4096:
        raise InvalidValue(TOO_LONG)
    _set_cookie(response, name, value)
    return f"Changed the cookie {name} to {value or 'nothing'}. It expires when the browser closes."


def _set_cookie(response: HttpResponse, name: str, value: str | None) -> None:
    """Set a cookie of this lab that lasts until the browser closes; None deletes the cookie."""
    max_age = 0 if value is None else None
    response.set_cookie(name, value or "", max_age, httponly=True, samesite="Lax")


def entries(request: HttpRequest) -> list[str]:
    """Return the names of the entries in this browser's session, or [] if the store fails.

    The session is not loaded, because the file engine would replace an expired session.
    """
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    try:
        records = session_stores.read(key) if key and session_stores.has_sessions() else []
    except Exception:  # the panel must open even if the store fails
        return []
    return list(records[0].data) if records else []


def _open_session(request: HttpRequest) -> Any:
    return session_stores.session_store()(request.COOKIES.get(settings.SESSION_COOKIE_NAME))


def change_entry(request: HttpRequest) -> str:
    """Change or delete one entry of this browser's session in the store; return a message.

    Raises InvalidValue if there is no session to change, or the changed session cannot be saved.
    """
    store = _open_session(request)
    if "cookie" in session_stores.kinds():
        raise InvalidValue(SIGNED)
    if not store.keys():
        raise InvalidValue(NO_SESSION)
    entry = request.POST.get("entry", "")
    if "delete" in request.POST:
        store.pop(entry, None)
        _save(store)
        return f"Deleted the entry {entry} and saved the session."
    try:
        store[entry] = json.loads(request.POST.get("value", ""))
    except (ValueError, RecursionError):
        raise InvalidValue(BAD_JSON.format(example=JSON_EXAMPLE)) from None
    _save(store)
    return f"Changed the entry {entry} to {store[entry]!r} and saved the session."


def _save(store: Any) -> None:
    if not is_expiry_readable(store):
        raise InvalidValue(BAD_EXPIRY)
    try:
        store.save()
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidValue(f"Django cannot save the session with this: {error}.") from None
