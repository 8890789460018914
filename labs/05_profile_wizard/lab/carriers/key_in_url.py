"""The server stores the answers. The URL of each page contains their key, in ?w=."""

from importlib import import_module

from django.conf import settings

LIFETIME = 600  # seconds since the last answer
REDIRECTS = True
# The session carrier stores its answers under another name, "wizard". With the same name, a key
# from a session cookie would also work in a URL.
ENTRY = "wizard by url"
SessionStore = import_module(settings.SESSION_ENGINE).SessionStore  # the class of request.session


def load(request):
    key = request.GET.get("w")
    if not key:
        return {}
    return SessionStore(key).get(ENTRY)  # None if no answers are stored under this key


def hidden_fields(request, answers):
    return {}  # the key is in the URL


def save(request, response, answers, next_step):
    # Keep the key only if answers are stored under it. Someone may have made up any other key and
    # put it into a link, in order to read your answers later.
    key = request.GET["w"] if load(request) else None
    store = SessionStore(key)  # if key is None, store.save() creates one
    store[ENTRY] = answers
    store.set_expiry(LIFETIME)
    if next_step == "results":
        store.cycle_key()  # an attacker who planted the old key cannot use it now
    store.save()
    response["Location"] += f"?w={store.session_key}"  # the next page needs the key


def forget(request, response):
    if load(request):
        SessionStore(request.GET["w"]).flush()
