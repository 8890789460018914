"""The trials of the page on limits: which cookies a browser silently drops or keeps."""

from django.conf import settings

# A separate host, because 181 cookies at 127.0.0.1 would push out the cookies of all labs.
HOST = f"{settings.LAB}-limits.localhost".lower()
PATH = "/limits/"  # the cookies' Path, so that the browser does not send 180 cookies to other pages
LIFETIME = 600  # seconds
PREFIX = "limit_"
BIG = PREFIX + "big"
TRIALS = {
    "4096-bytes": {BIG: "x" * (4096 - len(BIG))},  # the browser counts the name and the value
    "4097-bytes": {BIG: "x" * (4097 - len(BIG))},
    "180-cookies": {f"{PREFIX}{number:03}": "x" for number in range(180)},
    "181-cookies": {f"{PREFIX}{number:03}": "x" for number in range(181)},
    "another-path": {PREFIX + "path": "x"},
}


def sent(request):
    """Return the cookies from the trials that the browser sent: {name: value}."""
    return {name: value for name, value in request.COOKIES.items() if name.startswith(PREFIX)}


def size(cookies):
    """Return the number of these cookies, and their size in bytes as a browser counts it."""
    return len(cookies), sum(len(name + value) for name, value in cookies.items())
