"""The page that shows a whole visit."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from labkit.panel.access import is_local_instructor
from labkit.panel.exchange_log import log
from labkit.panel.exchange_words import summarize, time_of_day
from labkit.panel.middleware import LONGEST_HOST, LONGEST_VALUE
from labkit.panel.models import Exchange
from labkit.panel.visit.visits import Browser, Visit, own_visit, visits

MOST = 500  # the number of exchanges of a visit that the page shows


@require_safe
def visit(request: HttpRequest) -> HttpResponse:
    """Show a visit. Students see their own; the instructor sees all, and `?visitor=B` selects one.

    By default, the instructor sees the visit with the newest exchange.
    """
    instructor = is_local_instructor(request)
    found = visits(log) if instructor else [own_visit(log, _browser(request))]
    wanted = request.GET.get("visitor", "") if instructor else ""
    chosen = next((each for each in found if wanted in {"", each.visitor}), Visit(wanted, []))
    exchanges = chosen.exchanges[-MOST:]
    context = {
        "instructor": instructor,
        "visits": found if instructor else [],
        "visit": chosen,
        "left_out": len(chosen.exchanges) - len(exchanges),
        "rows": [_row(each) for each in exchanges],
    }
    return render(request, "labkit/visit.html", context)


def _browser(request: HttpRequest) -> Browser:
    """Return the parts of a request that identify its browser, cut as in the log."""
    meta = request.META
    return Browser(
        peer=meta.get("REMOTE_ADDR", ""),
        agent=meta.get("HTTP_USER_AGENT", "")[:LONGEST_VALUE],
        host=(meta.get("HTTP_HOST", "") or meta.get("SERVER_NAME", ""))[:LONGEST_HOST],
        cookie_header=meta.get("HTTP_COOKIE", ""),
    )


def _row(exchange: Exchange) -> dict[str, Any]:
    return {
        "time": time_of_day(exchange.at),
        "number": exchange.number,
        "token": exchange.token,
        "summary": summarize(exchange),
    }
