"""The limit for signed_cookies, where the whole cart must fit into one cookie."""

from importlib import import_module

from django.conf import settings

# A browser stores 4096 bytes of name and value, and drops a longer cookie silently. Stop a little
# before that: the text is compressed, and removing an item may make it longer.
MAX_BYTES = 4000
FULL = "The cart is full: its cookie would have {size} bytes. The limit is {limit}."


def refusal(request, goods, lifetime):
    """Return why the cookie would be too long with these goods, or None if it would not."""
    engine = import_module(settings.SESSION_ENGINE)
    if not engine.__name__.endswith(".signed_cookies"):
        return None
    # Try it with a copy. This engine saves into the key, and the key is the cookie.
    copy = engine.SessionStore()
    copy.update(request.session)
    copy["cart"] = goods
    copy.set_expiry(lifetime)
    copy.save()
    size = len(settings.SESSION_COOKIE_NAME) + len(copy.session_key)
    if size > MAX_BYTES:
        return FULL.format(size=size, limit=MAX_BYTES)
