"""Students see only the labs and exercises; the instructor, on this machine, sees everything."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, ResolverMatch, resolve

from labkit.base.error_pages import error_page
from labkit.base.served_labs import CODE, HANDOUT
from labkit.console import supervisor
from labkit.panel.access import host_name, is_local_instructor

Handler = Callable[[HttpRequest], HttpResponse]
# Names of URL patterns. The view of a solution checks for itself whether students may see it.
FOR_ALL = {"root", "class_practice", "class_exercise", "class_solution", "asset", "own_asset"}
IN_THE_LAB = {"handout": HANDOUT, "code": CODE}  # pages that each lab also has
# Chromium also applies form-action to redirects, and those after a reset lead to other hosts.
POLICY = (
    "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self' http://127.0.0.1:{port} http://localhost:{port} http://*.localhost:{port}"
)


def instructor_only(get_response: Handler) -> Handler:
    """Return middleware that responds to students with 403, except for pages meant for them.

    For students, the console's URLs of a lab's handout and code redirect to the same pages in the
    lab itself.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if is_local_instructor(request):
            return get_response(request)
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return get_response(request)
        if match.url_name in FOR_ALL:
            return get_response(request)
        if url := _page_in_lab(request, match):
            return HttpResponseRedirect(url)
        return error_page(
            request,
            403,
            "For the instructor",
            "This page opens only on the instructor's own machine.",
        )

    return middleware


def _page_in_lab(request: HttpRequest, match: ResolverMatch) -> str | None:
    """Return the URL of the same page in the lab itself, or None if no lab has this page."""
    page, served = None, None
    if request.method in {"GET", "HEAD"} and match.url_name:
        page = IN_THE_LAB.get(match.url_name)
        served = supervisor().find(match.kwargs.get("number", ""))
    return f"http://{host_name(request)}:{served.port}{page}" if page and served else None


def own_content_only(get_response: Handler) -> Handler:
    """Return middleware that stops browsers from loading other sites' content into these pages."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        policy = POLICY.format(port=supervisor().port)
        response.headers.setdefault("Content-Security-Policy", policy)
        return response

    return middleware


def context(request: HttpRequest) -> dict[str, Any]:
    """Return context for all templates: what base.html needs, and where sessions are stored."""
    return {
        "instructor": is_local_instructor(request),
        "database": supervisor().database,
        "request_path": request.path,
    }
