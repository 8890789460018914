"""Error pages in plain words, with the real cause of a failure behind the one Django reports.

`from labkit.base.error_pages import handler400, handler403, handler404, handler500` in a lab's
urls.py installs them: https://docs.djangoproject.com/en/5.2/topics/http/views/#customizing-error-views
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

# Errors of a database that is absent, locked, full or not migrated. Their parent DatabaseError is
# left out: Django raises it itself if a session's row was deleted during the request.
# PermissionError: the folder of the session files is not writable.
STORE_FAULTS = (OperationalError, InterfaceError, InternalError, ProgrammingError, PermissionError)
# Errors of a disk that is full, read-only or broken. Other OSErrors, such as a closed connection,
# are not the store's. Windows has no EDQUOT.
DISK_FAULTS = {errno.ENOSPC, errno.EROFS, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC)}
RETRY_AFTER = 5  # seconds

# What the pages say; tests find a page by it.
MIGRATE_TITLE = "The table is not there yet"
MIGRATE_ADVICE = "In the lab's folder, type: python manage.py migrate (lab run does it by itself)."
DAMAGED_TITLE = "The database file is damaged"
DAMAGED_ADVICE = "For the instructor: `lab reset {number}` replaces db.sqlite3 by an empty file."
STORE_TITLE = "The store does not answer"
UNKNOWN_HOST = "This server does not answer to the host name that the request asked for."
TOO_LARGE = "The form sent more than this server accepts."
SESSION_DELETED = "Your session was deleted while this request was under way; nothing was kept."
NOT_UNDERSTOOD = "The server could not make sense of this request."
NOT_ALLOWED = "You may not do this here."
NO_PAGE = "There is no page at this address."
LAB_FAULT = "This is a fault of the lab and not of yours; the server's log says more."
COOKIES_BLOCKED = csrf_causes.NO_COOKIE.text


def error_page(
    request: HttpRequest,
    status: int,
    title: str,
    sentence: str,
    advice: str = "",
    cause: str = "",
) -> HttpResponse:
    """Return an HTML page that says in one sentence what was wrong, and what to do next.

    Tests find the page by its `cause`, which it has as `data-cause`.
    """
    context = {"status": status, "title": title, "sentence": sentence}
    context |= {"advice": advice, "cause": cause}
    return render(request, "labkit/error.html", context, status=status)


def store_fault(error: BaseException | None) -> BaseException | None:
    """Return the store's error that this exception is or was caused by; None if there is none.

    Django reports any database failure while a session is saved as SessionInterrupted, "the
    request's session was deleted": the true cause is in __cause__ or __context__.
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
    # A module that is not loaded cannot have raised the error; redis is an extra.
    redis: Any = sys.modules.get("redis")
    return isinstance(error, (*STORE_FAULTS, redis.RedisError) if redis else STORE_FAULTS)


def _is_damage(error: BaseException) -> bool:
    """Return whether SQLite's file is damaged, or not a database."""
    sqlite: Any = sys.modules.get("sqlite3")
    return bool(sqlite) and type(error) is sqlite.DatabaseError


def unavailable(request: HttpRequest, fault: BaseException) -> HttpResponse:
    """Return 503 with Retry-After; if the table is missing, the page says what to type."""
    log.error("The store failed: %s", fault)
    # SQLite's message, or the number of ER_NO_SUCH_TABLE in MySQL and MariaDB.
    if "no such table" in str(fault) or fault.args[:1] == (1146,):
        title = MIGRATE_TITLE
        sentence = "This database has no table for what the lab keeps, so nothing was changed."
        advice = MIGRATE_ADVICE
    elif _is_damage(fault):
        title = DAMAGED_TITLE
        sentence = "What the lab keeps in it cannot be read, so nothing was changed."
        advice = DAMAGED_ADVICE.format(number=getattr(settings, "LAB", ""))
    else:
        title = STORE_TITLE
        sentence = "The server could not reach the place where it keeps its state, so nothing was "
        sentence += "changed."
        advice = "Try again in a moment. "
        advice += f"For the instructor: {type(fault).__name__}, see the server's log."
    response = error_page(request, 503, title, sentence, advice)
    response["Retry-After"] = str(RETRY_AFTER)
    return response


def refuse_unknown_host(request: HttpRequest) -> HttpResponse | None:
    """Return 400 for a host that is not in ALLOWED_HOSTS, else None.

    With DEBUG on, Django shows its settings and the environment instead, and another site can read
    them by DNS rebinding. https://docs.djangoproject.com/en/5.2/ref/settings/#allowed-hosts
    """
    try:
        request.get_host()
    except DisallowedHost as error:
        log.warning("%.300s", error)
        return handler400(request, error)
    return None


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 400 for a request that cannot be understood; 503 if the store failed."""
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
    return error_page(request, 400, "That request was not understood", sentence)


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 403 for an action that this visitor may not take."""
    return error_page(request, 403, "Not allowed", NOT_ALLOWED)


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 404 for a URL without a page."""
    return error_page(request, 404, "No such page", NO_PAGE, "Check the spelling.")


def handler500(request: HttpRequest) -> HttpResponse:
    """Return 500 for an error in the lab; 503 if the store failed.

    Return 400 if a view saved its own session and that had been deleted during the request, as for
    the visitor's session.
    """
    error = sys.exc_info()[1]
    if fault := store_fault(error):
        return unavailable(request, fault)
    if isinstance(error, UpdateError):
        return handler400(request, SessionInterrupted())
    return error_page(request, 500, "The lab made a mistake", LAB_FAULT)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Return 403 for a form without a valid CSRF token: the view for CSRF_FAILURE_VIEW.

    https://docs.djangoproject.com/en/5.2/ref/settings/#csrf-failure-view
    """
    cause = csrf_causes.find_cause(request, reason)
    sentence = "It did not prove that it came from a page of this lab, so nothing was changed."
    return error_page(request, 403, "This form was refused", sentence, cause.text, cause.name)
