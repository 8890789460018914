"""The page that shows a whole visit."""

import time
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from labkit.panel import server_clock
from labkit.panel.access import is_local_instructor
from labkit.panel.exchange_log import log
from labkit.panel.visit.drawing import Drawing
from labkit.panel.visit.event_table import entries
from labkit.panel.visit.timeline import timeline
from labkit.panel.visit.visits import Visit, browser_of, own_visit, visits
from labkit.session_stores import engine_name, kinds

MOST = 500  # the maximum number of exchanges that the page shows


@require_safe
def visit(request: HttpRequest) -> HttpResponse:
    """Show a visit. Students see their own; the instructor sees all, and `?visitor=B` selects one.

    By default, the instructor sees the visit with the newest exchange.
    """
    instructor = is_local_instructor(request)
    found = visits(log) if instructor else [own_visit(log, browser_of(request))]
    wanted = request.GET.get("visitor", "") if instructor else ""
    chosen = next((each for each in found if wanted in {"", each.visitor}), Visit(wanted, []))
    context: dict[str, Any] = {
        "instructor": instructor,
        "visits": found if instructor else [],
        "visit": chosen,
    }
    if chosen.exchanges:
        newest = replace(chosen, exchanges=chosen.exchanges[-MOST:])
        context["left_out"] = len(chosen.exchanges) - len(newest.exchanges)
        context |= _timeline_context(newest)
    return render(request, "labkit/visit.html", context)


def _timeline_context(visit: Visit) -> dict[str, Any]:
    """Return the context for the drawing and the table of a visit."""
    shown = timeline(visit, time.time(), server_clock.moved())
    drawing = Drawing(shown)
    return {
        "drawing": drawing,
        "lanes": [drawing.browser, drawing.store],
        "store_name": f"Store: {engine_name(shown.engine)}" if shown.engine else "Store",
        "nothing_stored": _nothing_stored(shown.engine),
        "entries": entries(shown),
    }


def _nothing_stored(engine: str) -> str:
    """Return a sentence that says why the drawing shows no stored session."""
    if not engine:
        return "This lab stores nothing on the server."
    if "cookie" in kinds(engine):
        return "This engine stores nothing on the server. The session is in the cookie."
    return "This visitor has no session in the store."
