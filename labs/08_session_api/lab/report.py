"""Report on one operation: what a dictionary would do, what the session does, and what is saved."""

import copy

from lab.expectation import MISTAKES, next_request_finds, on_dictionary
from lab.operations import LABELS, SOURCES
from lab.saving import will_be_saved

MISSING = "not there"


def press(request, operation):
    """Run this operation on the visitor's session, and return the report."""
    session = request.session
    # Make a deep copy, because an entry's contents would change in a shallow copy too.
    before = copy.deepcopy(dict(session.items()))
    key_before = session.session_key
    expected, expected_after = on_dictionary(before, operation)
    try:
        answer, mistake = repr(operation(request)), None
    except MISTAKES as raised:
        answer, mistake = None, f"{type(raised).__name__}: {raised}"
        # If a view does not catch an exception, the status is 500 and Django saves nothing. This
        # report does not save the session either.
        session.modified = False
    rows = compare(before, dict(session.items()))
    saved, why = will_be_saved(request)
    found = next_request_finds(session, before, saved)
    return {
        "pressed": operation.__name__,
        "label": LABELS[operation.__name__],
        "source": SOURCES[operation.__name__],
        "answer": answer,
        "mistake": mistake,
        "returns": (expected, mistake or answer, expected != (mistake or answer)),
        "finds": (repr(expected_after), repr(found), expected_after != found),
        "keys": [key_before, session.session_key],
        "rows": rows,
        "saved": saved,
        "why": why,
        "lost": not saved and not session.is_empty() and any(row[-1] for row in rows),
    }


def compare(before, after):
    """Return (key, value before, value after, whether they differ) for each key."""
    pairs = [(key, shown(before, key), shown(after, key)) for key in before | after]
    return [(key, old, new, old != new) for key, old, new in pairs]


def as_text(value):
    """Return None and printable text unchanged, and the repr() of anything else."""
    # Another program may have stored a value that this lab would not store.
    return value if value is None or str(value).isprintable() else repr(value)


def shown(entries, key):
    return repr(entries[key]) if key in entries else MISSING
