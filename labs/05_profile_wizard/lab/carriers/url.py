"""The server stores the answers; the URL carries their key, in ?w=, from page to page."""

from importlib import import_module

from django.conf import settings
from django.shortcuts import redirect
from django.urls import reverse

LIFETIME = 600  # seconds, from the last answer
SessionStore = import_module(settings.SESSION_ENGINE).SessionStore


def load(request):
    """Return the answers that this request carries, {field: text}; None if it cannot be read."""
    key = request.GET.get("w")
    return SessionStore(key).get("wizard by url") if key else {}


def address(request, step, **query):
    """Return the URL of a step, with these query parameters."""
    key = request.GET.get("w")
    return reverse("url", args=[step], query={"w": key} | query if key else query)


def form_fields(request, answers):
    """Return the hidden fields of a form, as (name, value) pairs."""
    return []


def lead_to(request, step, answers, **query):
    """Store the answers and redirect to a step; return None to show it without a redirect."""
    if not answers:
        return redirect(address(request, step, **query))
    # A key that matches no session is not adopted: the person who made it up would know it.
    store = SessionStore(request.GET["w"] if load(request) else None)
    store["wizard by url"] = answers
    store.set_expiry(LIFETIME)
    if step == "results":
        store.cycle_key()  # a person who planted the old key gets nothing
    store.save()
    return redirect(reverse("url", args=[step], query={"w": store.session_key} | query))


def forget(request, response):
    """Forget all answers."""
    if load(request):
        SessionStore(request.GET["w"]).flush()
