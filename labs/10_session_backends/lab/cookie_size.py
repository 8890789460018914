"""The size limit with signed_cookies, which stores the whole cart in one cookie."""

from importlib import import_module

from django.conf import settings

# A browser silently drops a cookie whose name and value are longer than 4096 bytes. Stop a little
# earlier: the data are compressed, so removing an item may make the cookie longer.
MAX_BYTES = 4000
FULL = "The cart is full: its cookie would have {size} bytes. The limit is {limit}."


def refusal(request, goods, lifetime):
    """Return an error if the cookie would be too long with these goods, or None."""
    engine = import_module(settings.SESSION_ENGINE)
    if not engine.__name__.endswith(".signed_cookies"):
        return None
    # Measure a copy of the session. This engine saves the data in the session key, which is the
    # cookie's value.
    copy = engine.SessionStore()
    copy.update(request.session)
    copy["cart"] = goods
    copy.set_expiry(lifetime)
    copy.save()
    size = len(settings.SESSION_COOKIE_NAME) + len(copy.session_key)
    if size > MAX_BYTES:
        return FULL.format(size=size, limit=MAX_BYTES)
