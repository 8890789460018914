"""The panel's pages: one exchange in five parts, and the list of all."""

import re
from typing import Any
from urllib.parse import parse_qsl

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from labkit.base.error_pages import error_page
from labkit.panel import (
    control_bar,
    control_messages,
    cookie_explanations,
    curl,
    diagram,
    instructor_controls,
    live_report,
    server_clock,
    session_explanations,
    stored_session,
    summary_bar,
)
from labkit.panel.access import is_local_instructor
from labkit.panel.exchange_log import REMEMBERED, log
from labkit.panel.exchange_outcome import SHORTEST_KEY, Outcome
from labkit.panel.exchange_words import summarize
from labkit.panel.models import Exchange

SHOWN = 200  # exchanges in a list
_NOT_STORED = {  # pages carry the key as data-nothing-stored
    "no-sessions": "This lab keeps nothing on the server: what it remembers is in the cookies.",
    "no-session": "This visitor has no session, so nothing is stored.",
    "gone": "Nothing any more: the session has expired or was deleted after this exchange.",
    "deleted": "Nothing: this exchange deleted the session.",
    "no-match": (
        "Nothing under the key that the browser sent: its session has expired or was deleted, or "
        "the key was never issued here."
    ),
    "too-short": "Nothing: Django takes no key of fewer than 8 characters.",
}


@require_safe
def exchange(request: HttpRequest, token: str) -> HttpResponse:
    """Show one exchange and the redirect that led to it, to anyone who has its URL."""
    return exchange_page(request, token)


def exchange_page(
    request: HttpRequest, token: str, invalid: str = "", why: str = ""
) -> HttpResponse:
    """Return the page of one exchange; `invalid` names the control whose value was refused."""
    found = log.find(token)
    if found is None:
        sentence = f"The last {REMEMBERED} exchanges are kept, until the lab is reset or restarted."
        return error_page(request, 404, "This exchange has been forgotten", sentence)
    instructor = is_local_instructor(request)
    by_script = "X-Requested-With" in request.headers  # the message is for the page below
    message = None if by_script or not instructor else control_messages.take(request)
    context = {
        "exchange": found,
        "sentence": summary_bar.summarize_with_redirect(found),
        "parts": [_parts(each, instructor) for each in found.with_redirect()],
        "stored": _stored(found, instructor),
        "diagram": diagram.svg(found),
        "arrows": diagram.arrows(found),
        "instructor": instructor,
        "control_state": mark_safe(control_bar.state(server_clock.moved(), instructor, message)),
        "back": found.path if found.method in {"GET", "HEAD"} else "/",
    }
    if instructor:
        context |= {
            "curl": curl.command(found),
            "curl_lacks": list(curl.missing(found)),
            "key": instructor_controls.KEY,
            "clock_form": mark_safe(control_bar.clock_form(token)),
            "own_cookies": instructor_controls.cookie_names(request),
            "entries": instructor_controls.entries(request),
            "cookie_example": instructor_controls.COOKIE_EXAMPLE,
            "json_example": instructor_controls.JSON_EXAMPLE,
            "invalid": invalid,
            "why": why,
            "typed": request.POST,
        }
    return render(request, "labkit/exchange.html", context, status=422 if invalid else 200)


def _parts(exchange: Exchange, details: bool) -> dict[str, Any]:
    return {
        "exchange": exchange,
        "gist": summarize(exchange),
        "request_cookies": cookie_explanations.request_cookies(exchange),
        "form": parse_qsl(exchange.form, keep_blank_values=True),
        "session": session_explanations.SessionReport(exchange, details)
        if exchange.engine
        else None,
        "response_cookies": cookie_explanations.response_cookies(exchange),
        "no_bar": summary_bar.NO_BAR.get(exchange.no_bar),
        "milliseconds": f"{exchange.duration * 1000:.1f}",
    }


def _stored(exchange: Exchange, details: bool) -> dict[str, Any]:
    """Return what the store keeps now, or why it keeps nothing, for the template."""
    outcome = Outcome(exchange)
    key = outcome.key_after or outcome.key_before
    if not exchange.engine:
        nothing = "no-sessions"
    elif not key:
        nothing = "no-match" if outcome.sent_key else "no-session"
    elif session := stored_session.describe_stored(exchange.engine, key, details):
        return {"session": session}
    elif outcome.deleted:
        nothing = "deleted"
    else:
        nothing = "gone" if outcome.was_stored else "no-match"
    if nothing == "no-match" and len(outcome.sent_key) < SHORTEST_KEY:
        nothing = "too-short"
    return {"nothing": nothing, "reason": _NOT_STORED[nothing]}


@require_safe
def exchanges(request: HttpRequest) -> HttpResponse:
    """List the last exchanges of all visitors, on the instructor's machine only."""
    if not is_local_instructor(request):
        raise Http404
    newest = log.newest()[:SHOWN]
    listed = [
        (log.visitor(each), summarize(each), each, summary_bar.NO_BAR.get(each.no_bar))
        for each in newest
    ]
    return render(request, "labkit/exchanges.html", {"exchanges": listed})


@require_safe
def exchanges_json(request: HttpRequest) -> HttpResponse:
    """List them as JSON, for programs such as the console; `?most=5` for at most five."""
    if not is_local_instructor(request):
        raise Http404
    most = request.GET.get("most", "")
    limit = min(SHOWN, int(most)) if re.fullmatch("[0-9]{1,4}", most) else SHOWN
    return JsonResponse(live_report.report(limit))
