"""The server stores the answers. The URL of each page contains their key, in ?w=."""

from importlib import import_module

from django.conf import settings

LIFETIME = 600  # seconds since the last answer
REDIRECTS = True
# Not "wizard", as in the session carrier: otherwise, a URL with the key from a session cookie
# would show that session's answers.
ENTRY = "wizard by url"
SessionStore = import_module(settings.SESSION_ENGINE).SessionStore


def load(request):
    key = request.GET.get("w")
    if not key:
        return {}
    return SessionStore(key).get(ENTRY)  # None if no answers are stored under this key


def hidden_fields(request, answers):
    return {}  # the key is in the URL


def save(request, response, answers, next_step):
    # Do not adopt a key without stored answers: the person who made it up could read them.
    store = SessionStore(request.GET["w"] if load(request) else None)
    store[ENTRY] = answers
    store.set_expiry(LIFETIME)
    if next_step == "results":
        store.cycle_key()  # an attacker who planted the old key cannot use it now
    store.save()
    response["Location"] += f"?w={store.session_key}"  # the next page needs the key


def forget(request, response):
    if load(request):
        SessionStore(request.GET["w"]).flush()
