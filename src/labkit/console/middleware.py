"""Show the class a list of the labs only, and the instructor, on this machine, everything."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from labkit.base.error_pages import error_page
from labkit.console import supervisor
from labkit.panel.access import is_local_instructor

Handler = Callable[[HttpRequest], HttpResponse]
FOR_ALL = ("/__lab__/static/",)
POLICY = (
    "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


def instructor_only(get_response: Handler) -> Handler:
    """Middleware: return 403 to others, except for the list of labs and its stylesheets."""

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
    """Middleware: forbid browsers to load anything from elsewhere into these pages."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return middleware


def context(request: HttpRequest) -> dict[str, Any]:
    """Context processor: return what base.html needs, and where sessions are kept."""
    return {"instructor": is_local_instructor(request), "database": supervisor().database}
