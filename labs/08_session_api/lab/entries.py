"""Operations on one entry, which look like those on a dictionary."""


def assign(request):
    """Add an entry, or replace it."""
    request.session["tea"] = 2


def read(request):
    """Read an entry. It raises a KeyError if the entry is missing."""
    return request.session["tea"]


def get(request):
    """Read an entry, or return a default if the entry is missing."""
    return request.session.get("tea", "no tea")


def contains(request):
    """Test whether an entry exists."""
    return "tea" in request.session


def setdefault(request):
    """Read an entry, adding it first if it is missing."""
    return request.session.setdefault("tea", 7)


def delete(request):
    """Delete one entry only."""
    del request.session["tea"]


def keys(request):
    """Return the keys."""
    return request.session.keys()


def items(request):
    """Return the keys and values, as a view of the session and not as a list."""
    return request.session.items()


def kinds(request):
    """Store values that JSON changes: it has no tuples and no numeric keys. Press twice."""
    request.session["kinds"] = [2, 2.5, True, None]
    request.session["pair"] = (1, 2)
    request.session["numbers"] = {1: "one"}
