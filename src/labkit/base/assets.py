"""Serve labkit's stylesheets, script and icon from any server, even if DEBUG is off."""

from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe
from django.views.static import serve

ASSETS = Path(__file__).parent / "static" / "labkit"


@require_safe
def asset(request: HttpRequest, path: str, folder: Path = ASSETS) -> HttpResponseBase:
    """Return a file in this folder, with status 304 if it is unchanged or 404 if it is missing."""
    try:
        response = serve(request, path, document_root=folder)
    except OSError:  # the file system does not allow this name
        raise Http404 from None
    response["Cache-Control"] = "no-cache"
    return response
