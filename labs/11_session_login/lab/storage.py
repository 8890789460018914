"""The goods are one entry of the session. Who you are lies beside it, in entries of Django's."""

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session

from labkit.base.session_times import clock_time

MAX_ITEMS = 10  # few enough for the engine that keeps the whole session in one cookie
MEANINGS = {
    SESSION_KEY: "The number of your row in the table auth_user.",
    BACKEND_SESSION_KEY: "What checked your password.",
    HASH_SESSION_KEY: "Made from your password: change that, and every session of yours ends.",
}


def load(request):
    """Return the goods in this visitor's cart: {name: quantity}."""
    return request.session.get("cart", {})


def put(request, response, name, quantity):
    """Keep this quantity of one item."""
    request.session["cart"] = load(request) | {name: quantity}


def refusal(request, name, quantity):
    """Say why this does not fit, or nothing if it does."""
    if len(load(request) | {name: quantity}) > MAX_ITEMS:
        return f"The cart is full: {MAX_ITEMS} items, and no more."


def notice(request):
    """Say what is wrong with what the browser sent, or nothing if all is well."""
    if settings.SESSION_COOKIE_NAME in request.COOKIES and not key(request):
        return (
            "Your browser sent a session key that opens nothing: ended, deleted, damaged, unknown."
        )


def key(request):
    """Return the session key by which the server knows this browser, or nothing."""
    return request.session.session_key if request.session.keys() else None


def row(request):
    """Say in one sentence what django_session has for this key."""
    engine = settings.SESSION_ENGINE.rpartition(".")[2]
    if engine not in {"db", "cached_db"}:
        return f"None: the engine in use, {engine}, keeps its sessions elsewhere."
    kept = Session.objects.filter(session_key=key(request)).first()
    return f"One, until {clock_time(kept.expire_date)}." if kept else "None."


def login_entries(request):
    """Return what Django keeps of your login: (entry, value, meaning)."""
    kept = request.session
    return [(entry, kept[entry], why) for entry, why in MEANINGS.items() if entry in kept]
