"""What is done with the session as a whole, and with the test cookie."""


def session_key(request):
    """session_key: look at the key, which is a text and no dictionary."""
    return request.session.session_key


def clear(request):
    """clear(): take out every entry; the session and its key stay."""
    request.session.clear()


def flush(request):
    """flush(): end the session, its key included."""
    request.session.flush()


def cycle_key(request):
    """cycle_key(): keep every entry under a new key, as at a login."""
    request.session.cycle_key()


def set_test_cookie(request):
    """set_test_cookie(): put in an entry that only a returning cookie can find."""
    request.session.set_test_cookie()


def test_cookie_worked(request):
    """test_cookie_worked(): ask whether that entry is there."""
    return request.session.test_cookie_worked()


def delete_test_cookie(request):
    """delete_test_cookie(): take that entry out; it must be there."""
    request.session.delete_test_cookie()
