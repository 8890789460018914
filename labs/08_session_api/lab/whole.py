"""Operations on the whole session, and on the test cookie."""


def session_key(request):
    """Return the session key, which is a string, not a dictionary."""
    return request.session.session_key


def clear(request):
    """Delete every entry, but keep the session and its key."""
    request.session.clear()


def flush(request):
    """End the session: delete its entries and its key."""
    request.session.flush()


def cycle_key(request):
    """Keep every entry, but change the session key, as login() does."""
    request.session.cycle_key()


def set_test_cookie(request):
    """Add the test entry. A later request finds it only if the browser sends the session cookie."""
    request.session.set_test_cookie()


def test_cookie_worked(request):
    """Test whether the test entry exists."""
    return request.session.test_cookie_worked()


def delete_test_cookie(request):
    """Delete the test entry. It raises a KeyError if the entry is missing."""
    request.session.delete_test_cookie()
