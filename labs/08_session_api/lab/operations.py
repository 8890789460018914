"""The buttons of the page: every operation with its label, in page order."""

import inspect

from lab import entries, surprises, whole

BUTTONS = {
    "One entry": [
        ("session[key] = value", entries.assign),
        ("session[key]", entries.read),
        ("get()", entries.get),
        ("key in session", entries.contains),
        ("setdefault()", entries.setdefault),
        ("del session[key]", entries.delete),
        ("keys()", entries.keys),
        ("items()", entries.items),
        ("kinds of values", entries.kinds),
    ],
    "The whole session": [
        ("session_key", whole.session_key),
        ("clear()", whole.clear),
        ("flush()", whole.flush),
        ("cycle_key()", whole.cycle_key),
        ("set_test_cookie()", whole.set_test_cookie),
        ("test_cookie_worked()", whole.test_cookie_worked),
        ("delete_test_cookie()", whole.delete_test_cookie),
    ],
    "Surprises": [
        ("put a cart in", surprises.put_cart),
        ("change inside", surprises.change_inside),
        ("change inside, modified = True", surprises.change_and_say_so),
        ("delete in a loop over keys()", surprises.delete_in_loop),
        ("delete in a loop over list(keys())", surprises.delete_over_list),
        ("len(session)", surprises.length),
        ("bool(session)", surprises.truth),
        ("list(session)", surprises.as_list),
    ],
}
GROUPS = [
    (heading, [(operation.__name__, label) for label, operation in buttons])
    for heading, buttons in BUTTONS.items()
]
OPERATIONS = {
    operation.__name__: operation for buttons in BUTTONS.values() for _, operation in buttons
}
LABELS = {name: label for _, buttons in GROUPS for name, label in buttons}
# Read the code when the server starts, so that the page shows the code that runs, even if a file is
# edited later.
SOURCES = {name: inspect.getsource(operation) for name, operation in OPERATIONS.items()}
