"""The name lies in the browser, in one cookie."""

from urllib.parse import quote, unquote

from django.conf import settings

from lab.forms import NameForm

NAME = f"name_{settings.LAB}"
LIFETIMES = {"session": None, "3min": 180}  # seconds; None: until the browser closes


def load(request):
    """Return the name that the browser brought along, or nothing if there is none."""
    # A visitor can change a cookie, so it is looked at as closely as what was typed.
    form = NameForm({"name": unquote(sent(request))})
    if form.is_valid():
        return form.cleaned_data["name"]


def put(request, response, name, remember):
    """Have the browser keep this name for so long."""
    # A header carries few signs; percent-encoded, every script is made of those.
    value = quote(name, safe="")
    response.set_cookie(NAME, value, LIFETIMES[remember], httponly=True, samesite="Lax")


def clear(request, response):
    """Have the browser forget the name."""
    response.delete_cookie(NAME, samesite="Lax")


def sent(request):
    """Return the cookie's value just as the browser sent it."""
    return request.COOKIES.get(NAME, "")


def notice(request):
    """Say what is wrong with what the browser sent, or nothing if all is well."""
    if NAME in request.COOKIES and not load(request):
        return "Your browser sent something that is not a name: it was changed there."
