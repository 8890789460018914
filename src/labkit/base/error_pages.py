"""Return error pages that name the real cause of a failure in plain English.

`from labkit.base.error_pages import handler400, handler403, handler404, handler500` in a lab's
urls.py installs them:
https://docs.djangoproject.com/en/5.2/topics/http/views/#customizing-error-views
"""

import errno
import logging
import sys
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import (
    DisallowedHost,
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import InterfaceError, InternalError, OperationalError, ProgrammingError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from labkit.base import csrf_causes

log = logging.getLogger("labkit.errors")

# Errors from a database that is missing, locked, full or not
# migrated. Their base class DatabaseError
# is not included, since Django raises it if a session's row was deleted during the request.
# PermissionError means that the folder of the session files is not writable.
STORE_FAULTS = (OperationalError, InterfaceError, InternalError, ProgrammingError, PermissionError)
# Errors from a disk that is full, read-only or broken. Other OSErrors, such as a closed connection,
# do not come from the store. Windows has no EDQUOT.
DISK_FAULTS = {errno.ENOSPC, errno.EROFS, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC)}
RETRY_AFTER = 5  # seconds

# Text on the error pages; tests look for it.
MIGRATE_TITLE = "The table does not exist yet"
MIGRATE_ADVICE = "In the lab's folder, run python manage.py migrate. (lab run does this for you.)"
DAMAGED_TITLE = "The database file is damaged"
DAMAGED_ADVICE = "For the instructor: lab reset {number} replaces db.sqlite3 with an empty file."
STORE_TITLE = "The store does not respond"
UNKNOWN_HOST = "This server is not reachable under the host name in the request."
TOO_LARGE = "The form is larger than this server accepts."
SESSION_DELETED = "Your session was deleted during this request, so nothing was saved."
NOT_UNDERSTOOD = "The server could not understand this request."
NOT_ALLOWED = "You are not allowed to do this."
NO_PAGE = "There is no page with this URL."
LAB_FAULT = "This is an error in the lab, not your fault. The server's log has the details."
COOKIES_BLOCKED = csrf_causes.NO_COOKIE.text


def error_page(
    request: HttpRequest,
    status: int,
    title: str,
    sentence: str,
    advice: str = "",
    cause: str = "",
) -> HttpResponse:
    """Return an HTML page that says in a sentence what went wrong, and then what to do next.

    The page's attribute data-cause contains `cause`, so that tests can find it.
    """
    context = {"status": status, "title": title, "sentence": sentence}
    context |= {"advice": advice, "cause": cause}
    return render(request, "labkit/error.html", context, status=status)


def store_fault(error: BaseException | None) -> BaseException | None:
    """Return this exception or one of its causes if it is a storage error, otherwise None.

    If the database fails while a session is saved, Django raises SessionInterrupted, "the
    request's session was deleted". The real cause is in __cause__ or __context__.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if _is_the_stores(error):
            return error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None


def _is_the_stores(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in DISK_FAULTS:
        return True
    if _is_damage(error):
        return True
    # The package redis is optional. If it is not loaded, it cannot have raised the error.
    redis: Any = sys.modules.get("redis")
    return isinstance(error, (*STORE_FAULTS, redis.RedisError) if redis else STORE_FAULTS)


def _is_damage(error: BaseException) -> bool:
    """Return whether the SQLite file is damaged or is not a database."""
    sqlite: Any = sys.modules.get("sqlite3")
    return bool(sqlite) and type(error) is sqlite.DatabaseError


def unavailable(request: HttpRequest, fault: BaseException) -> HttpResponse:
    """Return 503 with Retry-After; if a table is missing, the page names the command to run."""
    log.error("The store failed: %s", fault)
    # SQLite's message, or ER_NO_SUCH_TABLE in MySQL and MariaDB.
    if "no such table" in str(fault) or fault.args[:1] == (1146,):
        title = MIGRATE_TITLE
        sentence = "The database does not have the lab's table, so nothing was changed."
        advice = MIGRATE_ADVICE
    elif _is_damage(fault):
        title = DAMAGED_TITLE
        sentence = "The lab's data in it cannot be read, so nothing was changed."
        advice = DAMAGED_ADVICE.format(number=getattr(settings, "LAB", ""))
    else:
        title = STORE_TITLE
        sentence = "The server could not read or write its stored data, so nothing was "
        sentence += "changed."
        advice = "Try again in a moment. "
        advice += f"For the instructor: {type(fault).__name__}. See the server's log."
    response = error_page(request, 503, title, sentence, advice)
    response["Retry-After"] = str(RETRY_AFTER)
    return response


def refuse_unknown_host(request: HttpRequest) -> HttpResponse | None:
    """Return 400 for a host that is not in ALLOWED_HOSTS, otherwise None.

    With DEBUG on, Django's own page shows the settings and the environment, which another site
    could read by DNS rebinding. https://docs.djangoproject.com/en/5.2/ref/settings/#allowed-hosts
    """
    try:
        request.get_host()
    except DisallowedHost as error:
        log.warning("%.300s", error)
        return handler400(request, error)
    return None


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 400 for a bad request, or 503 if the store failed."""
    if fault := store_fault(exception):
        return unavailable(request, fault)
    if isinstance(exception, DisallowedHost):
        sentence = UNKNOWN_HOST
    elif isinstance(exception, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        sentence = TOO_LARGE
    elif isinstance(exception, SessionInterrupted):
        sentence = SESSION_DELETED
    else:
        sentence = NOT_UNDERSTOOD
    return error_page(request, 400, "Bad request", sentence)


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 403 for an action that the visitor is not allowed to do."""
    return error_page(request, 403, "Not allowed", NOT_ALLOWED)


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 404 for a URL without a page."""
    return error_page(request, 404, "Page not found", NO_PAGE, "Check the spelling.")


def handler500(request: HttpRequest) -> HttpResponse:
    """Return 500 for an error in the lab, or 503 if the store failed.

    Return 400 if a view saved a session that had been deleted during the request. Django itself
    returns 400 only if the session was the visitor's own.
    """
    error = sys.exc_info()[1]
    if fault := store_fault(error):
        return unavailable(request, fault)
    if isinstance(error, UpdateError):
        return handler400(request, SessionInterrupted())
    return error_page(request, 500, "Error in the lab", LAB_FAULT)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Return 403 for a form without a valid CSRF token. This is the view in CSRF_FAILURE_VIEW.

    https://docs.djangoproject.com/en/5.2/ref/settings/#csrf-failure-view
    """
    cause = csrf_causes.find_cause(request, reason)
    sentence = "The form did not prove that it came from this lab, so nothing was changed."
    return error_page(request, 403, "This form was refused", sentence, cause.text, cause.name)
