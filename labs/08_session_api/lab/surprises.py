"""Where a session is not what it seems."""


def put_cart(request):
    """put a cart in: one entry, with a dictionary inside."""
    request.session["cart"] = {"tea": 1}


def change_inside(request):
    """change inside: nobody tells the session. Press twice."""
    request.session["cart"]["tea"] += 1


def change_and_say_so(request):
    """change inside, modified = True: now it is told."""
    request.session["cart"]["tea"] += 1
    request.session.modified = True


def delete_in_loop(request):
    """delete in a loop over keys(): the view changes under the loop."""
    for key in request.session.keys():
        del request.session[key]


def delete_over_list(request):
    """delete in a loop over list(keys()): the list stays as it is."""
    for key in list(request.session.keys()):
        del request.session[key]


def length(request):
    """len(session): a dictionary has a length."""
    return len(request.session)


def truth(request):
    """bool(session): an empty dictionary is false."""
    return bool(request.session)


def as_list(request):
    """list(session): a dictionary lists its keys."""
    return list(request.session)
