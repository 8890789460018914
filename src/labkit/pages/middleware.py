"""The refusals that Django answers with an empty body or not at all, given a page."""

import codecs
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from labkit.pages.errors import error_page


def error_pages(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware, the last in the list: pages for 405 Method Not Allowed and for odd charsets.

    Django decodes a form with whatever codec of Python its Content-Type names, and some of those
    raise or make text that cannot be sent back; browsers send UTF-8.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if not _is_utf8(request.content_params.get("charset", "utf-8")):
            return error_page(
                request,
                415,
                "Not in this encoding",
                "The form is not encoded in UTF-8, so it was not read.",
            )
        response = get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            allowed = response["Allow"]
            page = error_page(
                request,
                405,
                "Not by this method",
                f"This address does not accept {request.method}; it accepts {allowed}.",
                "What changes something is sent by a form, as POST." if "POST" in allowed else "",
            )
            response.content = page.content
        return response

    return middleware


def _is_utf8(charset: str) -> bool:
    try:
        return codecs.lookup(charset).name == "utf-8"
    except (LookupError, ValueError):
        return False
