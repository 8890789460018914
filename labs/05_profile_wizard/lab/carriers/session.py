"""The server stores the answers in your session. Your browser sends the session key in a cookie."""

from django.conf import settings
from django.middleware.csrf import get_token

LIFETIME = 600  # seconds since the last answer
REDIRECTS = True


def load(request):
    # Your browser sent a key, but the session is empty: the key matches no stored session, and
    # Django started a new one. After save() and forget(), the session still contains its expiry.
    if settings.SESSION_COOKIE_NAME in request.COOKIES and not request.session.keys():
        return None
    return request.session.get("wizard", {})


def hidden_fields(request, answers):
    return {"csrfmiddlewaretoken": get_token(request)}


def save(request, response, answers, next_step):
    request.session["wizard"] = answers
    request.session.set_expiry(LIFETIME)
    if next_step == "results":
        request.session.cycle_key()  # an attacker who planted the old key cannot use it now


def forget(request, response):
    request.session.pop("wizard", None)
