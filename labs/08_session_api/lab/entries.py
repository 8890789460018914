"""Operations on one entry, as on an entry of a dictionary."""


def assign(request):
    """Add an entry, or replace it."""
    request.session["tea"] = 2


def read(request):
    """Read an entry that must exist."""
    return request.session["tea"]


def get(request):
    """Read an entry, or a default if it is missing."""
    return request.session.get("tea", "no tea")


def contains(request):
    """Test whether an entry exists."""
    return "tea" in request.session


def setdefault(request):
    """Read an entry, and add it first if it is missing."""
    return request.session.setdefault("tea", 7)


def delete(request):
    """Delete one entry only."""
    del request.session["tea"]


def keys(request):
    """Return the keys."""
    return request.session.keys()


def items(request):
    """Return keys and values: a view of the session, not a list."""
    return request.session.items()


def kinds(request):
    """Store values that JSON changes: it has no tuples and no numbers as keys. Press twice."""
    request.session["kinds"] = [2, 2.5, True, None]
    request.session["pair"] = (1, 2)
    request.session["numbers"] = {1: "one"}
