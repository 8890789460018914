"""Your browser stores the answers, in one cookie each, and sends them with every request."""

from urllib.parse import quote, unquote

from django.conf import settings
from django.middleware.csrf import get_token

from lab.forms import QUESTIONS

LIFETIME = 600  # seconds, from the last answer
REDIRECTS = True
COOKIES = {field: f"{field}_{settings.LAB}" for field in QUESTIONS}


def load(request):
    sent = request.COOKIES
    return {field: unquote(sent[cookie]) for field, cookie in COOKIES.items() if cookie in sent}


def form_fields(request, answers):
    return {"csrfmiddlewaretoken": get_token(request)}


def save(request, response, answers, next_step):
    for field, text in answers.items():
        value = quote(text, safe="")  # a cookie's value allows few characters
        response.set_cookie(COOKIES[field], value, LIFETIME, httponly=True, samesite="Lax")


def forget(request, response):
    for cookie in COOKIES.values():
        response.delete_cookie(cookie, samesite="Lax")
