"""The browser stores the cart: one cookie per item."""

from django.conf import settings

from lab.forms import valid_goods
from labkit.base.cookie_names import cookie_name, names_from_cookies

LIFETIME = 120  # seconds since the item was last added
MAX_ITEMS, MAX_BYTES = 50, 4000
PREFIX = f"cart_{settings.LAB}_"


def load(request):
    """Return the goods in this visitor's cart: {name: quantity}."""
    return valid_goods(names_from_cookies(PREFIX, request.COOKIES))


def put(request, response, name, quantity):
    """Store this quantity of one item."""
    cookie = cookie_name(PREFIX, name)
    response.set_cookie(cookie, quantity, LIFETIME, httponly=True, samesite="Lax")


def remove(request, response, name):
    """Remove one item, if it is in the cart."""
    if name in load(request):
        response.delete_cookie(cookie_name(PREFIX, name), samesite="Lax")


def clear(request, response):
    """Remove everything."""
    for name in names_from_cookies(PREFIX, request.COOKIES):
        response.delete_cookie(cookie_name(PREFIX, name), samesite="Lax")


def refusal(request, name, quantity):
    """Return why the cart cannot hold this item, or None if it can."""
    sent = names_from_cookies(PREFIX, request.COOKIES) | {name: quantity}
    size = sum(len(f"{cookie_name(PREFIX, n)}={q}; ") for n, q in sent.items())
    if len(sent) > MAX_ITEMS or size > MAX_BYTES:
        return f"The cart is full: {MAX_ITEMS} cookies or {MAX_BYTES} bytes at most."


def notice(request):
    """Return what is wrong with the cookies or the stored cart, or None."""
    if altered := len(names_from_cookies(PREFIX, request.COOKIES)) - len(load(request)):
        return f"Ignored cookies of the cart: {altered}. Someone changed them in the browser."


def describe(request):
    """Return where the cart is stored and for how long, as (question, answer) pairs."""
    return [
        ("Where is the cart?", "In your browser: one cookie per item. The server stores nothing."),
        ("How long is it kept?", f"Each item {LIFETIME // 60} minutes, from its last add."),
        ("How much time is left?", "Only the browser knows: it never sends a cookie's expiry."),
        *((f"Cookie {c}", q) for c, q in request.COOKIES.items() if c.startswith(PREFIX)),
    ]
