"""Your browser holds the answers, signed, in a hidden field of the form on this page."""

from django.core import signing
from django.urls import reverse

LIFETIME = 600  # seconds, from the last page that was shown


def load(request):
    """Return the answers that this request carries, {field: text}; None if it cannot be read."""
    if "answers" not in request.POST:
        return {}
    try:
        return signing.loads(request.POST["answers"], salt="wizard", max_age=LIFETIME)
    except signing.BadSignature:
        return None


def step_url(request, step, **query):
    """Return the URL of a step, with these query parameters."""
    return reverse("hidden", args=[step], query=query)


def form_fields(request, answers):
    """Return the hidden fields of a form, as (name, value) pairs."""
    return [("answers", signing.dumps(answers, salt="wizard"))]


def lead_to(request, step, to_store, **query):
    """Store these answers, if any, and redirect to a step, or return None to show it at once."""
    return None  # a redirect would lose the form, and with it the answers


def forget(request, response):
    """Forget all answers."""
    # Nothing to do: the redirect that follows drops the field.
