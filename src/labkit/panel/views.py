"""The panel's pages: one exchange in five parts, the list of all, and the controls."""

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from labkit.base.error_pages import error_page
from labkit.panel import (
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
from labkit.session_stores import has_sessions

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
    return _exchange_page(request, token)


def _exchange_page(
    request: HttpRequest, token: str, invalid: str = "", why: str = ""
) -> HttpResponse:
    """Return the page of one exchange; `invalid` names the control whose value was refused."""
    found = log.find(token)
    if found is None:
        sentence = f"The last {REMEMBERED} exchanges are kept, until the lab is reset or restarted."
        return error_page(request, 404, "This exchange has been forgotten", sentence)
    instructor = is_local_instructor(request)
    context = {
        "exchange": found,
        "sentence": summary_bar.summarize_with_redirect(found),
        "parts": [_parts(each, instructor) for each in found.with_redirect()],
        "stored": _stored(found, instructor),
        "diagram": diagram.svg(found),
        "arrows": diagram.arrows(found),
        "instructor": instructor,
        "back": found.path if found.method in {"GET", "HEAD"} else "/",
    }
    if instructor:
        context |= {
            "curl": curl.command(found),
            "curl_lacks": list(curl.missing(found)),
            "key": instructor_controls.KEY,
            "message": request.GET.get("said", "")[:400],
            "steps": list(instructor_controls.STEPS.items()),
            "moved": server_clock.moved(),
            "own_cookies": instructor_controls.cookie_names(request),
            "entries": instructor_controls.entries(request),
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


@require_POST
def control(request: HttpRequest, token: str, name: str) -> HttpResponse:
    """Run one of the instructor's controls and go back to the panel, which says what was done."""
    response = HttpResponseRedirect("")
    try:
        instructor_controls.check(request)
        if name == "clock":
            message = instructor_controls.move_clock(request.POST.get("by", ""))
        elif name == "reset":
            instructor_controls.reset(request, response)
            response["Location"] = "/"
            return response
        elif name == "cookie":
            message = instructor_controls.change_cookie(request, response)
        elif name == "entry" and has_sessions():
            message = instructor_controls.change_entry(request)
        else:
            raise Http404
    except instructor_controls.InvalidValue as refused:
        return _exchange_page(request, token, name, str(refused))
    except instructor_controls.NotAllowed as refused:
        return error_page(request, 403, "This was refused", str(refused))
    response["Location"] = f"/__lab__/exchange/{token}/?{urlencode({'said': message})}#controls"
    return response
