"""How much room the cart takes where all of it has to fit into one cookie."""

from importlib import import_module

from django.conf import settings

# A browser keeps 4096 bytes of name and value and throws a longer cookie away without a word. We
# stop a little before that: the text is compressed, and taking something out may spoil a saving.
MAX_BYTES = 4000


def refusal(request, goods, lifetime):
    """Say that these goods need too long a cookie, or nothing if they do not."""
    engine = import_module(settings.SESSION_ENGINE)
    if not engine.__name__.endswith(".signed_cookies"):
        return None
    # Try it out on a copy: this engine saves into the key, which is the cookie, and nowhere else.
    copy = engine.SessionStore()
    copy.update(request.session)
    copy["cart"] = goods
    copy.set_expiry(lifetime)
    copy.save()
    size = len(settings.SESSION_COOKIE_NAME) + len(copy.session_key)
    if size > MAX_BYTES:
        return f"The cart is full: its cookie would have {size} bytes; the most is {MAX_BYTES}."
