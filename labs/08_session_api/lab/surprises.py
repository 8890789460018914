"""Operations that surprise: a session is not a dictionary."""


def put_cart(request):
    """Add one entry, with a dictionary inside."""
    request.session["cart"] = {"tea": 1}


def change_inside(request):
    """Change the dictionary, which the session does not notice. Press twice."""
    request.session["cart"]["tea"] += 1


def change_and_say_so(request):
    """Change the dictionary, and mark the session as modified."""
    request.session["cart"]["tea"] += 1
    request.session.modified = True


def delete_in_loop(request):
    """Delete while looping over a view, which changes during the loop."""
    for key in request.session.keys():
        del request.session[key]


def delete_over_list(request):
    """Delete while looping over a list, which stays as it is."""
    for key in list(request.session.keys()):
        del request.session[key]


def length(request):
    """Try len(). A dictionary gives its number of entries."""
    return len(request.session)


def truth(request):
    """Try bool(). An empty dictionary gives False."""
    return bool(request.session)


def as_list(request):
    """Try list(). A dictionary gives its keys."""
    return list(request.session)
