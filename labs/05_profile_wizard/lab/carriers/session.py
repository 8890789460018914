"""The server stores the answers in your session; a cookie brings its key with every request."""

from django.conf import settings
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.urls import reverse

LIFETIME = 600  # seconds, from the last answer


def load(request):
    """Return the answers that this request carries, {field: text}; None if it cannot be read."""
    # A cookie came, but nothing is stored under it: the session has expired, or the key was
    # invented.
    if settings.SESSION_COOKIE_NAME in request.COOKIES and not request.session.keys():
        return None
    return request.session.get("wizard", {})


def step_url(request, step, **query):
    """Return the URL of a step, with these query parameters."""
    return reverse("session", args=[step], query=query)


def form_fields(request, answers):
    """Return the hidden fields of a form, as (name, value) pairs."""
    return [("csrfmiddlewaretoken", get_token(request))]


def lead_to(request, step, to_store, **query):
    """Store these answers, if any, and redirect to a step, or return None to show it at once."""
    if to_store:
        request.session["wizard"] = to_store
        request.session.set_expiry(LIFETIME)
        if step == "results":
            request.session.cycle_key()  # a person who planted the old key gets nothing
    return redirect(step_url(request, step, **query))


def forget(request, response):
    """Forget all answers."""
    request.session.pop("wizard", None)
