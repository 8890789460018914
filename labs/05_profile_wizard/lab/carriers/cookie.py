"""Your browser stores each answer in a cookie, and sends the cookies with every request."""

from urllib.parse import quote, unquote

from django.conf import settings
from django.middleware.csrf import get_token

from lab.forms import QUESTIONS

LIFETIME = 600  # seconds since the last answer
REDIRECTS = True
COOKIE_NAMES = {field: f"{field}_{settings.LAB}" for field in QUESTIONS}


def load(request):
    sent = request.COOKIES
    return {field: unquote(sent[name]) for field, name in COOKIE_NAMES.items() if name in sent}


def hidden_fields(request, answers):
    return {"csrfmiddlewaretoken": get_token(request)}


def save(request, response, answers, next_step):
    for field, text in answers.items():
        value = quote(text, safe="")  # a cookie's value may contain only some ASCII characters
        response.set_cookie(COOKIE_NAMES[field], value, LIFETIME, httponly=True, samesite="Lax")


def forget(request, response):
    for name in COOKIE_NAMES.values():
        response.delete_cookie(name, samesite="Lax")
