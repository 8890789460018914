"""The cart is one entry in this visitor's session; the engine decides where that lies."""

from django.conf import settings

from lab import engines, room
from labkit.base.session_times import session_facts

LIFETIME = 120  # seconds, from the last write of anything; reading does not count
MAX_ITEMS = 200


def load(request):
    """Return the goods in this visitor's cart: {name: quantity}."""
    return request.session.get("cart", {})


def put(request, response, name, quantity):
    """Keep this quantity of one item."""
    # A new dictionary: a session notices an entry being assigned, not one changing inside.
    request.session["cart"] = load(request) | {name: quantity}
    request.session.set_expiry(LIFETIME)


def remove(request, response, name):
    """Take one item out, if it is there."""
    if name in load(request):
        request.session["cart"] = {n: q for n, q in load(request).items() if n != name}


def clear(request, response):
    """Take everything out."""
    request.session.pop("cart", None)


def refusal(request, name, quantity):
    """Say why this does not fit, or nothing if it does."""
    goods = load(request) | {name: quantity}
    if len(goods) > MAX_ITEMS:
        return f"The cart is full: {MAX_ITEMS} items, and no more."
    return room.refusal(request, goods, LIFETIME)


def notice(request):
    """Say what is wrong with what the browser sent, or nothing if all is well."""
    if settings.SESSION_COOKIE_NAME in request.COOKIES and not request.session.keys():
        return (
            "Your browser sent a session key that opens nothing: ended, deleted, damaged, unknown, "
            "or with nothing in it."
        )


def describe(request):
    """Answer where the cart is kept and how long it lives, as (question, answer) pairs."""
    return [
        ("Where is the cart?", f"In your session, which lies here: {engines.place()}."),
        ("How long does it live?", f"All of it {LIFETIME} seconds, counted from the last write."),
        *session_facts(request.session),
    ]
