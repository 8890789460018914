"""The answers lie on the server, in your session; a cookie brings its key with every request."""

from django.conf import settings
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.urls import reverse

LIFETIME = 600  # seconds, from the last answer


def load(request):
    """Return the answers that came along, {field: text}; None if they cannot be opened."""
    if settings.SESSION_COOKIE_NAME in request.COOKIES and not request.session.keys():
        return None
    return request.session.get("wizard", {})


def address(request, step):
    """Return the address of a step."""
    return reverse("session", args=[step])


def form_fields(request, answers):
    """Return what a form carries besides the answer, as (name, value) pairs."""
    return [("csrfmiddlewaretoken", get_token(request))]


def lead_to(request, step, answers):
    """Keep the answers and lead on to a step; None to have it shown at once."""
    if answers:
        request.session["wizard"] = answers
        request.session.set_expiry(LIFETIME)
    if answers and step == "results":
        request.session.cycle_key()  # whoever planted the old key is left with nothing
    return redirect(address(request, step))


def forget(request, response):
    """Forget all answers."""
    request.session.pop("wizard", None)
