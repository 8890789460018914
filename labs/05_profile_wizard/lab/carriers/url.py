"""The answers lie on the server; the address brings their key, in ?w=, from page to page."""

from importlib import import_module

from django.conf import settings
from django.shortcuts import redirect
from django.urls import reverse

LIFETIME = 600  # seconds, from the last answer
SessionStore = import_module(settings.SESSION_ENGINE).SessionStore


def load(request):
    """Return the answers that came along, {field: text}; None if they cannot be opened."""
    key = request.GET.get("w")
    return SessionStore(key).get("wizard by url") if key else {}


def address(request, step):
    """Return the address of a step."""
    key = request.GET.get("w")
    return reverse("url", args=[step], query={"w": key} if key else None)


def form_fields(request, answers):
    """Return what a form carries besides the answer, as (name, value) pairs."""
    return []


def lead_to(request, step, answers):
    """Keep the answers and lead on to a step; None to have it shown at once."""
    if not answers:
        return redirect(address(request, step))
    # A key that opens nothing is not taken over: whoever made it up would know it.
    store = SessionStore(request.GET["w"] if load(request) else None)
    store["wizard by url"] = answers
    store.set_expiry(LIFETIME)
    if step == "results":
        store.cycle_key()  # whoever planted the old key is left with nothing
    store.save()
    return redirect(reverse("url", args=[step], query={"w": store.session_key}))


def forget(request, response):
    """Forget all answers."""
    if load(request):
        SessionStore(request.GET["w"]).flush()
