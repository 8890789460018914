"""The server stores the answers; the URL carries their key, in ?w=, from page to page."""

from importlib import import_module

from django.conf import settings
from django.shortcuts import redirect
from django.urls import reverse

LIFETIME = 600  # seconds, from the last answer
ENTRY = "wizard by url"  # not "wizard": the key of a session cookie must not show its answers here
SessionStore = import_module(settings.SESSION_ENGINE).SessionStore


def load(request):
    """Return the answers that this request carries, {field: text}; None if it cannot be read."""
    key = request.GET.get("w")
    return SessionStore(key).get(ENTRY) if key else {}


def step_url(request, step, **query):
    """Return the URL of a step, with these query parameters."""
    key = request.GET.get("w")
    return reverse("url", args=[step], query={"w": key} | query if key else query)


def form_fields(request, answers):
    """Return the hidden fields of a form, as (name, value) pairs."""
    return []


def lead_to(request, step, to_store, **query):
    """Store these answers, if any, and redirect to a step, or return None to show it at once."""
    if not to_store:
        return redirect(step_url(request, step, **query))
    # A key that matches no session is not adopted: the person who made it up would know it.
    known_key = request.GET["w"] if load(request) else None
    store = SessionStore(known_key)
    store[ENTRY] = to_store
    store.set_expiry(LIFETIME)
    if step == "results":
        store.cycle_key()  # a person who planted the old key gets nothing
    store.save()
    return redirect(reverse("url", args=[step], query={"w": store.session_key} | query))


def forget(request, response):
    """Forget all answers."""
    if load(request):
        SessionStore(request.GET["w"]).flush()
