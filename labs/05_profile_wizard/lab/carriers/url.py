"""The server stores the answers; the URL carries their key, in ?w=, from page to page."""

from importlib import import_module

from django.conf import settings

LIFETIME = 600  # seconds, from the last answer
REDIRECTS = True
# Not "wizard", as in the session carrier: otherwise, a URL with the key from a session cookie
# would show that session's answers.
ENTRY = "wizard by url"
SessionStore = import_module(settings.SESSION_ENGINE).SessionStore


def load(request):
    key = request.GET.get("w")
    if not key:
        return {}
    return SessionStore(key).get(ENTRY)  # None if this key has no answers


def form_fields(request, answers):
    return {}  # the key is in the URL


def save(request, response, answers, next_step):
    # Do not adopt a key that has no answers: the person who made it up would know it.
    store = SessionStore(request.GET["w"] if load(request) else None)
    store[ENTRY] = answers
    store.set_expiry(LIFETIME)
    if next_step == "results":
        store.cycle_key()  # so a planted key matches no session any more
    store.save()
    response["Location"] += f"?w={store.session_key}"  # the next page needs the key


def forget(request, response):
    if load(request):
        SessionStore(request.GET["w"]).flush()
