"""Operations with surprising results, because a session is not a dictionary."""


def put_cart(request):
    """Add one entry whose value is a dictionary."""
    request.session["cart"] = {"tea": 1}


def change_inside(request):
    """Change the dictionary inside the entry. The session does not notice. Press twice."""
    request.session["cart"]["tea"] += 1


def change_and_say_so(request):
    """Change the dictionary inside the entry, and mark the session as modified."""
    request.session["cart"]["tea"] += 1
    request.session.modified = True


def delete_in_loop(request):
    """Delete entries while looping over a view of the session, which changes during the loop."""
    for key in request.session.keys():
        del request.session[key]


def delete_over_list(request):
    """Delete entries while looping over a list of the keys, which does not change."""
    for key in list(request.session.keys()):
        del request.session[key]


def length(request):
    """Try len(). For a dictionary it returns the number of entries."""
    return len(request.session)


def truth(request):
    """Try bool(). For an empty dictionary it returns False."""
    return bool(request.session)


def as_list(request):
    """Try list(). For a dictionary it returns the keys."""
    return list(request.session)
