"""The server stores the cart: one entry in this visitor's session."""

from django.conf import settings

from lab.forms import valid_goods
from labkit.base.notices import ALTERED_CART, UNKNOWN_KEY
from labkit.base.session_expiry import session_facts

LIFETIME = 120  # seconds since the last write to the session; reads do not count
MAX_ITEMS = 200


def load(request):
    """Return the goods in this visitor's cart: {name: quantity}."""
    return valid_goods(request.session.get("cart"))


def put(request, response, name, quantity):
    """Store this quantity of one item."""
    # Assign a new dictionary: a session notices an assignment, but not a change inside an entry.
    request.session["cart"] = load(request) | {name: quantity}
    request.session.set_expiry(LIFETIME)


def remove(request, response, name):
    """Remove one item, if it is in the cart."""
    if name in load(request):
        request.session["cart"] = {n: q for n, q in load(request).items() if n != name}


def clear(request, response):
    """Remove everything."""
    request.session.pop("cart", None)


def refusal(request, name, quantity):
    """Return why the cart cannot hold this item, or None if it can."""
    if len(load(request) | {name: quantity}) > MAX_ITEMS:
        return f"The cart is full: {MAX_ITEMS} items at most."


def notice(request):
    """Return what is wrong with the cookies or the stored cart, or None."""
    # For a key that matches no session, Django starts an empty session, without keys.
    if settings.SESSION_COOKIE_NAME in request.COOKIES and not request.session.keys():
        return UNKNOWN_KEY
    return None if load(request) == request.session.get("cart", {}) else ALTERED_CART


def describe(request):
    """Return where the cart is stored and for how long, as (question, answer) pairs."""
    return [
        ("Where is the cart?", "On the server, in your session. The browser holds only its key."),
        ("How long is it kept?", f"All of it {LIFETIME // 60} minutes, from the last write."),
        *session_facts(request.session),
    ]
