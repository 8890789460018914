"""The panel's pages: one exchange, and the list of all exchanges."""

import re
from typing import Any
from urllib.parse import parse_qsl

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from labkit.base.error_pages import error_page
from labkit.panel import (
    connection,
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
    student_access,
    summary_bar,
)
from labkit.panel.access import is_local_instructor
from labkit.panel.exchange_log import REMEMBERED, log
from labkit.panel.exchange_outcome import Outcome
from labkit.panel.exchange_words import summarize, summary_words, time_of_day
from labkit.panel.models import Exchange

SHOWN = 200  # exchanges in a list


@require_safe
def exchange(request: HttpRequest, token: str) -> HttpResponse:
    """Show an exchange, and the redirect that led to it, to anyone who has the URL."""
    return exchange_page(request, token)


def exchange_page(
    request: HttpRequest, token: str, invalid: str = "", why: str = ""
) -> HttpResponse:
    """Return an exchange's page. `invalid`: the control with a bad value; `why`: the reason."""
    found = log.find(token)
    if found is None:
        sentence = f"The last {REMEMBERED} exchanges are kept until the lab is reset or restarted."
        return error_page(request, 404, "This exchange is no longer stored", sentence)
    instructor = is_local_instructor(request)
    # Scripts do not take the message, so that the lab's page can show it.
    by_script = "X-Requested-With" in request.headers
    message = None if by_script or not instructor else control_messages.take(request)
    context = {
        "exchange": found,
        "sentence": summary_bar.summarize_with_redirect(found),
        "parts": [_parts(request, each, instructor) for each in found.with_redirect()],
        "stored": stored_session.report_store(found, instructor),
        "places": diagram.PLACES,
        "arrows": diagram.arrows(found),
        "has_store": any(each.engine or each.operations for each in found.with_redirect()),
        "instructor": instructor,
        "control_state": mark_safe(control_bar.state(server_clock.moved(), instructor, message)),
        "back": found.path if found.method in {"GET", "HEAD"} else "/",
    }
    if instructor:
        context |= {
            "curl": curl.command(found),
            "curl_lacks": list(curl.missing(found)),
            "key": instructor_controls.form_key(),
            "visitor": log.visitor(found),
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


def _parts(request: HttpRequest, exchange: Exchange, details: bool) -> dict[str, Any]:
    cookies = cookie_explanations.request_cookies(exchange)
    set_cookies = cookie_explanations.response_cookies(exchange)
    own = [cookie for cookie in cookies if cookie[-1].kind in {"session", "lab"}]
    others = [cookie for cookie in cookies if cookie not in own]
    return {
        "exchange": exchange,
        "connection": connection.connection_kind(exchange),
        "connection_text": connection.explain_connection(exchange),
        "gist": summarize(exchange),
        "own_cookies": own,
        "other_cookies": others,
        "other_names": diagram.count_by_owner([name for name, *_ in others]),
        "form": parse_qsl(exchange.form, keep_blank_values=True),
        "session": session_explanations.SessionReport(exchange, details)
        if exchange.engine
        else None,
        "set_cookies": [cookie for cookie in set_cookies if cookie.owner.kind != "csrf"],
        "set_csrf": [cookie for cookie in set_cookies if cookie.owner.kind == "csrf"],
        "no_bar": summary_bar.NO_BAR.get(exchange.no_bar),
        "has_crashed": exchange.crash is not None,
        "crash": exchange.crash if student_access.may_see_crash(request) else None,
        "milliseconds": f"{exchange.duration * 1000:.1f}",
    }


@require_safe
def exchanges(request: HttpRequest) -> HttpResponse:
    """List the last requests of all visitors, newest first, for the instructor only."""
    if not is_local_instructor(request):
        raise Http404
    newest = log.newest()[:SHOWN]
    listed = [
        {
            "time": time_of_day(each.at),
            "visitor": log.visitor(each),
            "token": each.token,
            "words": summary_words(Outcome(each), cookie_explanations.cookie_effects(each)),
            "no_bar": each.no_bar,
            "why": summary_bar.NO_BAR.get(each.no_bar),
        }
        for each in newest
    ]
    return render(request, "labkit/exchanges.html", {"exchanges": listed})


@require_safe
def exchanges_json(request: HttpRequest) -> HttpResponse:
    """Return the last exchanges as JSON; `?most=5` limits them to five.

    The console requests them with `?brief=1`, see `live_report.report`.
    """
    if not is_local_instructor(request):
        raise Http404
    most = request.GET.get("most", "")
    limit = min(SHOWN, int(most)) if re.fullmatch("[0-9]{1,4}", most) else SHOWN
    return JsonResponse(live_report.report(limit, brief="brief" in request.GET))
