"""Your browser holds the answers, signed, in a hidden field of the form on this page."""

from django.core import signing

LIFETIME = 600  # seconds since the last page was shown
REDIRECTS = False  # after a redirect, the form and its answers would be gone


def load(request):
    if "answers" not in request.POST:
        return {}
    try:
        return signing.loads(request.POST["answers"], salt="wizard", max_age=LIFETIME)
    except signing.BadSignature:
        return None


def hidden_fields(request, answers):
    return {"answers": signing.dumps(answers, salt="wizard")}


def save(request, response, answers, next_step):
    pass  # The response is the next page, and its form contains the answers.


def forget(request, response):
    pass  # The redirected request has no hidden field, so the answers are gone.
