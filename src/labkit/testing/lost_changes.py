"""A pytest plugin that reports changes that never reach the browser or the store.

Two mistakes cause no error: changing a value inside a session entry, which Django neither detects
nor saves, and setting a cookie on a response that is not returned. The report of a failing test
lists both. https://docs.djangoproject.com/en/5.2/topics/http/sessions/#when-sessions-are-saved
"""

import copy
import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

# The title of a section in the report of a failing test.
UNSAVED = "changes inside an entry that were not saved"
DISCARDED = "cookies of a response that was not returned"

_unsaved: list[str] = []
_discarded: list[str] = []
# (ID of a response, name of a cookie) for each cookie that this request has set
_written: list[tuple[int, str]] = []
_kept_alive: list[Any] = []  # keeps the responses alive, so that no other response gets the same ID


def pytest_sessionstart() -> None:
    from django.contrib.sessions.middleware import SessionMiddleware
    from django.core.handlers.base import BaseHandler
    from django.http import HttpResponseBase

    for name, around in (
        ("process_request", _remember_session),
        ("process_response", _compare_session),
    ):
        _wrap(SessionMiddleware, name, around)
    _wrap(HttpResponseBase, "set_cookie", _note_cookie)
    _wrap(BaseHandler, "get_response", _compare_cookies)


def _wrap(owner: type, name: str, around: Callable[..., Any]) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapped(*arguments: Any, **options: Any) -> Any:
        return around(original, *arguments, **options)

    setattr(owner, name, wrapped)


def _remember_session(process: Callable[..., Any], middleware: Any, request: Any) -> Any:
    """Make the session keep a copy of the data that it loads."""
    found = process(middleware, request)
    session = request.session
    load = session.load

    def load_and_copy() -> Any:
        data = load()
        session.__dict__["labkit_loaded"] = copy.deepcopy(data)
        return data

    session.load = load_and_copy
    return found


def _compare_session(
    process: Callable[..., Any], middleware: Any, request: Any, response: Any
) -> Any:
    session: Any = getattr(request, "session", None)
    loaded = getattr(session, "__dict__", {}).get("labkit_loaded")
    if loaded is not None and not session.modified:
        accessed = session.accessed
        changed = [name for name, value in session.items() if loaded.get(name) != value]
        # Reset after this check, because SessionMiddleware sends Vary if a session was accessed.
        session.accessed = accessed
        _unsaved.extend(f"{request.method} {request.path}: {name}" for name in changed)
    return process(middleware, request, response)


def _note_cookie(
    set_cookie: Callable[..., Any], response: Any, key: str, *arguments: Any, **options: Any
) -> None:
    set_cookie(response, key, *arguments, **options)
    _written.append((id(response), str(key)))
    _kept_alive.append(response)


def _compare_cookies(get_response: Callable[..., Any], handler: Any, request: Any) -> Any:
    _written.clear()
    _kept_alive.clear()
    response = get_response(handler, request)
    lost = {name for owner, name in _written if owner != id(response)} - set(response.cookies)
    _discarded.extend(f"{request.method} {request.path}: {name}" for name in sorted(lost))
    return response


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    _unsaved.clear()
    _discarded.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[Any]:
    report: Any = yield
    if report.failed:
        for title, lines in ((UNSAVED, _unsaved), (DISCARDED, _discarded)):
            report.sections += [(title, "\n".join(lines))] if lines else []
    return report
