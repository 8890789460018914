import re

from django.conf import settings
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

COUNT = f"count_{settings.LAB}"
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
        response.set_cookie(COUNT, count, httponly=True, samesite="Lax")
    return response


@require_safe
def prefetch(request):
    """Show a page that makes the browser load the counting page in advance."""
    return render(request, "prefetch.html", {"count": load(request) or 0})


@require_POST
def forget(request):
    """Start again from scratch."""
    response = redirect("index")
    response.delete_cookie(COUNT, samesite="Lax")
    return response


def load(request):
    """Return the stored count, or None if it is not a count."""
    stored = request.COOKIES.get(COUNT, "0")
    return int(stored) if PLAIN.fullmatch(stored) else None
