"""The browser stores the name, in one cookie."""

from urllib.parse import quote, unquote

from django.conf import settings

from lab.forms import NameForm

NAME = f"name_{settings.LAB}"
LIFETIMES = {"session": None, "3min": 180}  # in seconds; None means until the browser closes


def load(request):
    """Return the name that the browser sent, or None if there is no valid one."""
    # A visitor can change a cookie, so check it as strictly as a form.
    form = NameForm({"name": unquote(sent(request))})
    if form.is_valid():
        return form.cleaned_data["name"]


def put(request, response, name, remember):
    """Make the browser store this name."""
    # A cookie allows only some ASCII characters; percent-encoding makes any text fit.
    value = quote(name, safe="")
    response.set_cookie(NAME, value, LIFETIMES[remember], httponly=True, samesite="Lax")


def clear(request, response):
    """Make the browser delete the name."""
    response.delete_cookie(NAME, samesite="Lax")


def sent(request):
    """Return the cookie's value as the browser sent it."""
    return request.COOKIES.get(NAME, "")


def notice(request):
    """Return what is wrong with the cookie, or None."""
    if NAME in request.COOKIES and not load(request):
        return "Your browser sent a cookie that holds no name: someone changed it."
