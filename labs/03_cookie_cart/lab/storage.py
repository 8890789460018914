"""The cart lies in the browser: one cookie per item."""

from django.conf import settings

from lab.forms import AddForm
from labkit.base.cookie_names import cookie_name, texts

LIFETIME = 120  # seconds, from that item's own last add
MAX_ITEMS, MAX_BYTES = 50, 4000
PREFIX = f"cart_{settings.LAB}_"


def load(request):
    """Return the goods in this visitor's cart: {name: quantity}."""
    sent = texts(PREFIX, request.COOKIES).items()
    forms = [AddForm({"name": name, "quantity": quantity}) for name, quantity in sent]
    return dict(form.cleaned_data.values() for form in forms if form.is_valid())


def put(request, response, name, quantity):
    """Keep this quantity of one item."""
    cookie = cookie_name(PREFIX, name)
    response.set_cookie(cookie, quantity, LIFETIME, httponly=True, samesite="Lax")


def remove(request, response, name):
    """Take one item out, if it is there."""
    if name in load(request):
        response.delete_cookie(cookie_name(PREFIX, name), samesite="Lax")


def clear(request, response):
    """Take everything out."""
    for name in texts(PREFIX, request.COOKIES):
        response.delete_cookie(cookie_name(PREFIX, name), samesite="Lax")


def refusal(request, name, quantity):
    """Say why this does not fit, or nothing if it does."""
    sent = texts(PREFIX, request.COOKIES) | {name: quantity}
    size = sum(len(f"{cookie_name(PREFIX, n)}={q}; ") for n, q in sent.items())
    if len(sent) > MAX_ITEMS or size > MAX_BYTES:
        return f"The cart is full: {MAX_ITEMS} cookies or {MAX_BYTES} bytes, and no more."


def notice(request):
    """Say what is wrong with what the browser sent, or nothing if all is well."""
    if altered := len(texts(PREFIX, request.COOKIES)) - len(load(request)):
        return f"{altered} of the cart's cookies were changed by the browser and do not count."


def describe(request):
    """Answer where the cart is kept and how long it lives, as (question, answer) pairs."""
    return [
        ("Where is the cart?", "In your browser: one cookie per item. The server keeps nothing."),
        ("How long does it live?", f"Each item {LIFETIME} seconds, counted from its own last add."),
        ("How long is left?", "Only the browser knows: it sends a cookie's value, never its life."),
        *((f"Cookie {c}", q) for c, q in request.COOKIES.items() if c.startswith(PREFIX)),
    ]
