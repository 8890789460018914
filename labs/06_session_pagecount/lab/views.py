import re

from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

COUNT = "count"
PLAIN = re.compile("[0-9]{1,6}")  # int() alone would take -7, 1_0 and the digits of every script


@require_safe
def index(request):
    """Count this visit. HEAD, which a browser may send to look ahead, is none."""
    kept = str(request.session.get(COUNT, 0))
    readable = PLAIN.fullmatch(kept)
    count = int(kept) if readable else 0
    count += request.method == "GET"
    response = render(request, "index.html", {"count": count, "readable": readable})
    if request.method == "GET":
        request.session[COUNT] = count
        request.session.set_expiry(300)  # seconds, from this write
    return response


@require_POST
def forget(request):
    """Begin again."""
    response = redirect("index")
    request.session.pop(COUNT, None)
    return response
