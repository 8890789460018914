"""The stylesheet and the icon: files of labkit, the same with DEBUG on or off and on any server."""

from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe
from django.views.static import serve

ASSETS = Path(__file__).parent / "static" / "labkit"


@require_safe
def asset(request: HttpRequest, path: str) -> HttpResponseBase:
    """One file of labkit's; 304 where the browser has it already, 404 where there is none."""
    try:
        response = serve(request, path, document_root=ASSETS)
    except OSError:  # no file system takes such a name
        raise Http404 from None
    response["Cache-Control"] = "no-cache"
    return response
