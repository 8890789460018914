"""What is done with one entry, as with an entry of a dictionary."""


def assign(request):
    """session[key] = value: put an entry in, or put another in its place."""
    request.session["tea"] = 2


def read(request):
    """session[key]: read an entry that must be there."""
    return request.session["tea"]


def get(request):
    """get(): read an entry, or something else where there is none."""
    return request.session.get("tea", "no tea")


def contains(request):
    """key in session: ask whether an entry is there."""
    return "tea" in request.session


def setdefault(request):
    """setdefault(): read an entry, and put it in first where there is none."""
    return request.session.setdefault("tea", 7)


def delete(request):
    """del session[key]: take out one entry, and no more."""
    del request.session["tea"]


def keys(request):
    """keys(): look at the keys."""
    return request.session.keys()


def items(request):
    """items(): look at keys and values; no list, but a view of what is there."""
    return request.session.items()


def kinds(request):
    """kinds of values: JSON knows no pair, and no key that is a number. Press twice."""
    request.session["kinds"] = [2, 2.5, True, None]
    request.session["pair"] = (1, 2)
    request.session["numbers"] = {1: "one"}
