"""The cart is one entry of the session. Other entries record who is logged in."""

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session

from lab.forms import valid_goods
from labkit.base.notices import ALTERED_CART, UNKNOWN_KEY
from labkit.base.session_expiry import clock_time

MAX_ITEMS = 10  # a cart of this size also fits in one cookie, as signed_cookies requires
MEANINGS = {
    SESSION_KEY: "The ID of your row in the table auth_user.",
    BACKEND_SESSION_KEY: "The authentication backend that checked your password.",
    HASH_SESSION_KEY: "Made from your password. If you change it, all your other sessions end.",
}


def load(request):
    """Return the goods in this visitor's cart: {name: quantity}."""
    return valid_goods(request.session.get("cart"))


def put(request, response, name, quantity):
    """Store this quantity of one item."""
    request.session["cart"] = load(request) | {name: quantity}


def refusal(request, name, quantity):
    """Return why the cart cannot hold this item, or None if it can."""
    if len(load(request) | {name: quantity}) > MAX_ITEMS:
        return f"The cart is full: {MAX_ITEMS} items at most."


def notice(request):
    """Return what is wrong with the cookies or the stored cart, or None."""
    if settings.SESSION_COOKIE_NAME in request.COOKIES and not key(request):
        return UNKNOWN_KEY
    return None if load(request) == request.session.get("cart", {}) else ALTERED_CART


def key(request):
    """Return the key of this visitor's session, or None if they have no session."""
    # For a key that matches no session, Django starts an empty session, without keys.
    return request.session.session_key if request.session.keys() else None


def row(request):
    """Describe the row of django_session with this key, in one sentence."""
    engine = settings.SESSION_ENGINE.rpartition(".")[2]
    if engine not in {"db", "cached_db"}:
        return f"None: the engine in use, {engine}, keeps its sessions elsewhere."
    found = Session.objects.filter(session_key=key(request)).first()
    return f"One, until {clock_time(found.expire_date)}." if found else "None."


def login_entries(request):
    """Return what Django stores about your login: (entry, value, meaning)."""
    return [(e, request.session[e], why) for e, why in MEANINGS.items() if e in request.session]
