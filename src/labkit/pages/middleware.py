"""The refusals that Django answers with an empty body, given a page."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from labkit.pages.errors import error_page


def error_pages(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: 405 Method Not Allowed becomes a page that names the methods allowed."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            allowed = response["Allow"]
            page = error_page(
                request,
                405,
                "Not by this method",
                f"This address does not accept {request.method}; it accepts {allowed}.",
                "What changes something is sent by a form, as POST.",
            )
            page["Allow"] = allowed
            return page
        return response

    return middleware
