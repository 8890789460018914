"""The answers lie in your browser, in one cookie each; every request brings them along."""

from urllib.parse import quote, unquote

from django.conf import settings
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.urls import reverse

from lab.forms import FORMS

LIFETIME = 600  # seconds, from the last answer
COOKIES = {field: f"{field}_{settings.LAB}" for field in FORMS}


def load(request):
    """Return the answers that came along, {field: text}; None if they cannot be opened."""
    sent = {field: request.COOKIES.get(cookie) for field, cookie in COOKIES.items()}
    return {field: unquote(text) for field, text in sent.items() if text is not None}


def address(request, step):
    """Return the address of a step."""
    return reverse("cookie", args=[step])


def form_fields(request, answers):
    """Return what a form carries besides the answer, as (name, value) pairs."""
    return [("csrfmiddlewaretoken", get_token(request))]


def lead_to(request, step, answers):
    """Keep the answers and lead on to a step; None to have it shown at once."""
    response = redirect(address(request, step))
    for field, text in answers.items():
        value = quote(text, safe="")  # a cookie's value has no room for most signs
        response.set_cookie(COOKIES[field], value, LIFETIME, httponly=True, samesite="Lax")
    return response


def forget(request, response):
    """Forget all answers."""
    for cookie in COOKIES.values():
        response.delete_cookie(cookie, samesite="Lax")
