"""The buttons of the page: every operation, in the order in which the page shows them."""

import inspect

from lab import entries, surprises, whole


def functions_of(module):
    """Return the functions written in this module, in the order in which they stand there."""
    return [function for function in vars(module).values() if inspect.isfunction(function)]


OPERATIONS = {
    operation.__name__: operation
    for module in (entries, whole, surprises)
    for operation in functions_of(module)
}
# Read when the server starts: a file that is changed later is not yet the code that runs.
SOURCES = {name: inspect.getsource(operation) for name, operation in OPERATIONS.items()}


def label(operation):
    """Say what the button says: the docstring, up to its colon."""
    return operation.__doc__.partition(": ")[0]


def buttons(module):
    """Return the (name, label) pairs of one module's buttons."""
    return [(operation.__name__, label(operation)) for operation in functions_of(module)]


GROUPS = [
    ("One entry", buttons(entries)),
    ("The whole session", buttons(whole)),
    ("Surprises", buttons(surprises)),
]
