import re

from django.conf import settings
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

COUNT = f"count_{settings.LAB}"
PLAIN = re.compile("[0-9]{1,6}")  # int() alone would take -7, 1_0 and the digits of every script


@require_safe
def index(request):
    """Count this visit. HEAD, which a browser may send to look ahead, is none."""
    kept = request.COOKIES.get(COUNT, "0")
    readable = PLAIN.fullmatch(kept)
    count = int(kept) if readable else 0
    count += request.method == "GET"
    response = render(request, "index.html", {"count": count, "readable": readable})
    if request.method == "GET":
        response.set_cookie(COUNT, count, httponly=True, samesite="Lax")
    return response


@require_POST
def forget(request):
    """Begin again."""
    response = redirect("index")
    response.delete_cookie(COUNT, samesite="Lax")
    return response
