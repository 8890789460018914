"""A report of one operation: what a dictionary would do, what the session does, what is saved."""

import copy

from lab.expectation import MISTAKES, next_request_finds, on_dictionary
from lab.operations import LABELS, SOURCES
from lab.saving import will_be_saved

MISSING = "not there"


def press(request, operation):
    """Carry out this operation on the visitor's session, and return the report."""
    session = request.session
    # A deep copy: in a shallow one, the inside of an entry would change too.
    before = copy.deepcopy(dict(session.items()))
    key_before = session.session_key
    expected, expected_after = on_dictionary(before, operation)
    try:
        answer, mistake = repr(operation(request)), None
    except MISTAKES as raised:
        answer, mistake = None, f"{type(raised).__name__}: {raised}"
        # A view that does not catch it answers with 500, and Django saves nothing. Do the same.
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
    """Compare two states: (key, value before, value after, whether they differ)."""
    pairs = [(key, shown(before, key), shown(after, key)) for key in before | after]
    return [(key, old, new, old != new) for key, old, new in pairs]


def as_text(value):
    """Return None and printable text as they are, anything else as Python shows it."""
    # Another program may have stored something other than this lab's text.
    return value if value is None or str(value).isprintable() else repr(value)


def shown(entries, key):
    return repr(entries[key]) if key in entries else MISSING
