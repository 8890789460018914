"""Return error pages for failures to which Django responds with a traceback or an empty body."""

import codecs
import sys
from collections.abc import Callable

from django.core.handlers.exception import response_for_exception
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from labkit.base.error_pages import (
    error_page,
    refuse_unknown_host,
    store_fault,
    unavailable,
)
from labkit.base.unreadable_session import is_unreadable, start_again

LONGEST = 16_000  # characters of a URL; Django's MAX_URL_REDIRECT_LENGTH is 16 384
Respond = Callable[[HttpRequest], HttpResponse]


def error_pages(get_response: Respond) -> Respond:
    """Return middleware that adds pages for an unknown host, a failing store, 405, 414 and 415.

    List it second in MIDDLEWARE.

    Django cannot redirect to a URL longer than MAX_URL_REDIRECT_LENGTH, for example to add a
    missing slash; with DEBUG on, it shows a traceback instead. It also shows a traceback if the
    store fails, for example because a table is missing. Django decodes a form with the Python codec
    that the request's Content-Type names. Some codecs raise an error, or return text that cannot be
    sent back. Browsers use UTF-8.
    """
    # the next middleware, without Django's convert_exception_to_response around it
    unconverted = getattr(get_response, "__wrapped__", get_response)

    def respond(request: HttpRequest) -> HttpResponse:
        try:
            return unconverted(request)
        except Exception as error:
            # The session could not be saved. With DEBUG on, Django would show a traceback with
            # status 400 instead of calling a handler.
            if fault := store_fault(error):
                return unavailable(request, fault)
            return response_for_exception(request, error)

    def middleware(request: HttpRequest) -> HttpResponse:
        if refusal := refuse_unknown_host(request):
            return refusal
        if _is_too_long(request):
            sentence = f"The URL is longer than {LONGEST} characters."
            return error_page(request, 414, "URI too long", sentence)
        charset = request.content_params.get("charset")
        if charset and not _is_utf8(charset):
            sentence = "This server accepts only forms in UTF-8."
            return error_page(request, 415, "Unsupported encoding", sentence)
        response = respond(request)
        fault = getattr(request, "_store_fault", None)
        if fault is not None and response.status_code != 503:
            return unavailable(request, fault)
        if response.status_code == 500 and is_unreadable(request):
            return start_again(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            allowed = response["Allow"]
            sentence = f"This URL does not accept {request.method}. It accepts {allowed}."
            advice = "Use a form that sends POST to change something." if "POST" in allowed else ""
            page = error_page(request, 405, "Method not allowed", sentence, advice)
            response.content = page.content
            response["Content-Length"] = str(len(page.content))
        return response

    return middleware


def _remember_store_fault(sender: object, request: HttpRequest | None = None, **_: object) -> None:
    if request is not None:
        request._store_fault = store_fault(sys.exc_info()[1])


got_request_exception.connect(_remember_store_fault)


def _is_too_long(request: HttpRequest) -> bool:
    # Encoding is slow, and makes at most 12 characters of one: four bytes, each as %XX.
    if len(request.path) + len(request.META.get("QUERY_STRING", "")) < LONGEST // 12:
        return False
    return len(request.get_full_path()) > LONGEST


def _is_utf8(charset: str) -> bool:
    try:
        return codecs.lookup(charset).name == "utf-8"
    except (LookupError, ValueError):
        return False
