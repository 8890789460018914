"""The same operation on a plain dictionary: the result that a reader may expect of the session."""

import copy
from types import SimpleNamespace

from django.conf import settings

# What a session raises if it is used wrongly. A failing database has its own error page.
MISTAKES = (KeyError, RuntimeError, TypeError, ValueError, OverflowError)
AS_PYTHON = {"cache", "cached_db"}  # engines that give back Python's own values, not JSON


def on_dictionary(entries, operation):
    """Carry out the operation on a dictionary with these entries: (answer, entries after it)."""
    plain = copy.deepcopy(entries)
    try:
        answer = repr(operation(SimpleNamespace(session=plain)))
    except AttributeError as raised:
        answer = f"a dictionary has no {raised.name}"
    except MISTAKES as raised:
        answer = f"{type(raised).__name__}: {raised}"
    return answer, plain


def next_request_finds(session, before, saved):
    """Return the entries that the next request will find in the session."""
    entries = dict(session.items()) if saved or session.is_empty() else before
    if settings.SESSION_ENGINE.rpartition(".")[2] in AS_PYTHON:
        return entries
    return session.decode(session.encode(entries))  # as JSON
