"""Run the operation on a plain dictionary, for the result that a reader may expect."""

import copy
from types import SimpleNamespace

from django.conf import settings

# The errors from using a session wrongly. A failing database has its own error page.
MISTAKES = (KeyError, RuntimeError, TypeError, ValueError, OverflowError)
AS_PYTHON = {"cache", "cached_db"}  # these engines pickle values instead of using JSON


def on_dictionary(entries, operation):
    """Run the operation on a dictionary with these entries; return (result, entries afterwards)."""
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
