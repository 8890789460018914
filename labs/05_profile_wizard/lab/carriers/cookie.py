"""Your browser stores the answers, in one cookie each, and sends them with every request."""

from urllib.parse import quote, unquote

from django.conf import settings
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.urls import reverse

from lab.forms import QUESTIONS

LIFETIME = 600  # seconds, from the last answer
COOKIES = {field: f"{field}_{settings.LAB}" for field in QUESTIONS}


def load(request):
    """Return the answers that this request carries, {field: text}; None if it cannot be read."""
    sent = request.COOKIES
    return {field: unquote(sent[cookie]) for field, cookie in COOKIES.items() if cookie in sent}


def step_url(request, step, **query):
    """Return the URL of a step, with these query parameters."""
    return reverse("cookie", args=[step], query=query)


def form_fields(request, answers):
    """Return the hidden fields of a form, as (name, value) pairs."""
    return [("csrfmiddlewaretoken", get_token(request))]


def lead_to(request, step, to_store, **query):
    """Store these answers, if any, and redirect to a step, or return None to show it at once."""
    response = redirect(step_url(request, step, **query))
    for field, text in to_store.items():
        value = quote(text, safe="")  # a cookie's value allows few characters
        response.set_cookie(COOKIES[field], value, LIFETIME, httponly=True, samesite="Lax")
    return response


def forget(request, response):
    """Forget all answers."""
    for cookie in COOKIES.values():
        response.delete_cookie(cookie, samesite="Lax")
