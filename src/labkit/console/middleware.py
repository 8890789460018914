"""Who may see what: the instructor everything, from this machine; the class a list of the labs."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from labkit.base.errors import error_page
from labkit.console import current
from labkit.panel.access import is_local_instructor

Handler = Callable[[HttpRequest], HttpResponse]
FOR_ALL = ("/__lab__/static/",)
POLICY = (
    "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


def instructor_only(get_response: Handler) -> Handler:
    """Middleware: 403 for anybody else, but for the list of labs and the stylesheet."""

    def middleware(request: HttpRequest) -> HttpResponse:
        open_to_all = request.path == "/" or request.path.startswith(FOR_ALL)
        if open_to_all or is_local_instructor(request):
            return get_response(request)
        return error_page(
            request,
            403,
            "For the instructor",
            "This page opens on the instructor's own machine only.",
        )

    return middleware


def own_content_only(get_response: Handler) -> Handler:
    """Middleware: a browser loads nothing into these pages that does not come from here."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return middleware


def context(request: HttpRequest) -> dict[str, Any]:
    """Context processor: what the frame of every page needs."""
    return {"instructor": is_local_instructor(request), "house": current()}
