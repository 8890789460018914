"""The answers lie in your browser, signed, in a hidden field of the form on this page."""

from django.core import signing
from django.urls import reverse

LIFETIME = 600  # seconds, from the last page that was shown


def load(request):
    """Return the answers that came along, {field: text}; None if they cannot be opened."""
    if "answers" not in request.POST:
        return {}
    try:
        return signing.loads(request.POST["answers"], salt="wizard", max_age=LIFETIME)
    except signing.BadSignature:
        return None


def address(request, step):
    """Return the address of a step."""
    return reverse("hidden", args=[step])


def form_fields(request, answers):
    """Return what a form carries besides the answer, as (name, value) pairs."""
    return [("answers", signing.dumps(answers, salt="wizard"))]


def lead_to(request, step, answers):
    """Keep the answers and lead on to a step; None to have it shown at once."""
    # A redirect would drop the form, and the answers with it.


def forget(request, response):
    """Forget all answers."""
