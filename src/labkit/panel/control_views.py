"""The view for the instructor's controls."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.http import escape_leading_slashes
from django.views.decorators.http import require_POST, require_safe

from labkit.base.error_pages import error_page
from labkit.http.cookie_header import set_cookie_lines
from labkit.panel import (
    control_bar,
    control_messages,
    instructor_controls,
    own_cookies,
    server_clock,
    views,
)
from labkit.panel.access import is_local_instructor
from labkit.panel.control_messages import Message
from labkit.panel.exchange_log import log
from labkit.panel.models import ControlUse, Exchange
from labkit.panel.session_recorder import current
from labkit.panel.visit.visits import browser_of
from labkit.session_stores import has_sessions


class SeeOther(HttpResponseRedirect):
    """A redirect after a POST, which the browser follows with a GET (RFC 9110, section 15.4.4)."""

    status_code = 303


@require_POST
def control(request: HttpRequest, token: str, name: str) -> HttpResponse:
    """Run one of the instructor's controls, and redirect to the lab's page.

    The lab's page shows a message in its summary bar. A script, which sends X-Requested-With, gets
    the bar's new HTML instead of a redirect. For an invalid value, the response is the panel's page
    with status 422 and the error beside the field.
    """
    page = _page_of_lab(token)
    done = HttpResponse()  # collects cookies to set
    try:
        instructor_controls.check(request)
        with _recorded(request, done, name):
            message, later = _run(request, done, name)
    except instructor_controls.InvalidValue as refused:
        return views.exchange_page(request, token, name, str(refused))
    except instructor_controls.NotAllowed as refused:
        return error_page(request, 403, "Not allowed", str(refused))
    response: HttpResponse
    if "X-Requested-With" in request.headers:
        next_step = (page, "Reload this page") if page else ("/", "Back to the lab's first page")
        response = HttpResponse(control_bar.state(server_clock.moved(), True, message, next_step))
        control_messages.leave(request, later)
    else:
        forgotten = log.find(token) is None
        response = SeeOther(page or ("/" if forgotten else f"/__lab__/exchange/{token}/"))
        control_messages.leave(request, message)
    response.cookies = done.cookies
    return response


@require_POST
def reset(request: HttpRequest) -> JsonResponse:
    """Reset the lab for a program on this machine, such as `lab reset`, which sends the key.

    The response is {"deleted": {"row": 3, ...}}, or {"error": sentence} with status 403 if the
    program may not do this, or 409 if the lab cannot be reset.
    """
    status = 403
    try:
        instructor_controls.check(request)
        status = 409
        return JsonResponse({"deleted": instructor_controls.empty_stores()})
    except instructor_controls.NotAllowed as refused:
        return JsonResponse({"error": str(refused)}, status=status)


@require_safe
def own_cookies_json(request: HttpRequest) -> JsonResponse:
    """Return the cookies that this lab has set in the browser with this request's User-Agent.

    The response is {host: [[name, path, domain, secure], ...]}, for the console's reset.
    """
    if not is_local_instructor(request):
        raise Http404
    return JsonResponse(own_cookies.set_in_browser(request.headers.get("User-Agent", "")))


def _page_of_lab(token: str) -> str:
    """Return the URL that this exchange requested, or "" if it cannot be loaded again."""
    exchange = log.find(token)
    if exchange is None or exchange.method not in {"GET", "HEAD"}:
        return ""
    return escape_leading_slashes(exchange.path)


@contextmanager
def _recorded(request: HttpRequest, response: HttpResponse, name: str) -> Iterator[None]:
    """Note the use of a control in the log, for the page that shows the whole visit."""
    browser = browser_of(request)._replace(cookie_header="")._asdict()
    ahead = server_clock.moved()
    exchange = Exchange(0, "", time.time(), ahead, time.monotonic(), **browser)
    exchange.scheme, exchange.path = request.scheme or "http", request.path
    token = current.set(exchange)
    try:
        yield
    finally:
        current.reset(token)
    exchange.engine = settings.SESSION_ENGINE if has_sessions() else ""
    exchange.set_cookies = set_cookie_lines(response)
    # The data is left out to save memory.
    exchange.operations = [replace(each, data=None) for each in exchange.operations]
    log.controls.append(ControlUse(name, exchange, server_clock.moved() - ahead))


def _run(request: HttpRequest, response: HttpResponse, name: str) -> tuple[Message, Message | None]:
    """Run a control; return a message to show now, and one to show after a reload, if any.

    Raises NotAllowed and Http404.
    """
    later = None
    if name == "clock":
        text = instructor_controls.move_clock(request.POST.get("by", ""))
        if (left := instructor_controls.row_expiry(request)) is not None:
            text = instructor_controls.row_sentence(left)  # shown in the bar, below the clock
        if left is not None and left <= 0:
            later = Message(name, instructor_controls.EXPIRED_ROW_SEEN, about_store=True)
    elif name == "reset":
        text = instructor_controls.reset(request, response)
    elif name == "cookie":
        text = instructor_controls.change_cookie(request, response)
    elif name == "entry" and has_sessions():
        text = instructor_controls.change_entry(request)
    else:
        raise Http404
    return Message(name, text), later
