"""Serve the charts and figures of a table's measurements as files."""

import re

from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.http import require_safe

from labkit.console import supervisor
from labkit.measure.report import places

NAME = re.compile(r"[\w-]+\.(svg|json)")
TYPES = {"svg": "image/svg+xml", "json": "application/json"}
# A chart contains a stylesheet with colours for light and dark mode.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@require_safe
def file(request: HttpRequest, place: str, name: str) -> FileResponse:
    """Return a chart, or the figures from which it was drawn. Raises Http404 if there is none."""
    kind = NAME.fullmatch(name)
    folder = places(supervisor().checkout.root).get(place)
    if folder is None or not kind:
        raise Http404(f"no {name} was measured")
    try:
        opened = (folder / name).open("rb")
    except OSError:
        raise Http404(f"no {name} was measured") from None
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return FileResponse(opened, content_type=TYPES[kind[1]], headers=headers)
