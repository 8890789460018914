"""Operations on the whole session, and on the test cookie."""


def session_key(request):
    """Return the session key, which is a string, not a dictionary."""
    return request.session.session_key


def clear(request):
    """Delete every entry, but keep the session and its key."""
    request.session.clear()


def flush(request):
    """End the session, its key included."""
    request.session.flush()


def cycle_key(request):
    """Keep every entry under a new key, as login() does."""
    request.session.cycle_key()


def set_test_cookie(request):
    """Add an entry that is found again only if the browser returns the cookie."""
    request.session.set_test_cookie()


def test_cookie_worked(request):
    """Test whether that entry exists."""
    return request.session.test_cookie_worked()


def delete_test_cookie(request):
    """Delete that entry, which must exist."""
    request.session.delete_test_cookie()
