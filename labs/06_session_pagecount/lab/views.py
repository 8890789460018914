import re

from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

COUNT = "count"
PLAIN = re.compile("[0-9]{1,6}")  # int() alone would accept -7, 1_0 and the digits of any script


@require_safe
def index(request):
    """Count this visit. A HEAD request is not a visit: it requests only the headers."""
    stored = load(request)
    count = (stored or 0) + (request.method == "GET")
    in_advance = "prefetch" in request.headers.get("Sec-Purpose", "")
    page = {"count": count, "readable": stored is not None, "in_advance": in_advance}
    response = render(request, "index.html", page)
    if request.method == "GET":
        request.session[COUNT] = count
        request.session.set_expiry(300)  # seconds, from this write
    return response


@require_safe
def prefetch(request):
    """Show a page that makes the browser load the counting page in advance."""
    return render(request, "prefetch.html", {"count": load(request) or 0})


@require_POST
def forget(request):
    """Start again from scratch."""
    response = redirect("index")
    request.session.pop(COUNT, None)
    return response


def load(request):
    """Return the stored count, or None if it is not a count."""
    stored = str(request.session.get(COUNT, 0))
    return int(stored) if PLAIN.fullmatch(stored) else None
