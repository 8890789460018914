"""The page "Copy as test": a visit as a pytest test, a shell script, or HTTPie commands."""

import re
import sys
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from labkit.panel.access import is_local_instructor
from labkit.panel.exchange_log import log
from labkit.panel.models import Exchange
from labkit.panel.visit.actions import Script
from labkit.panel.visit.as_httpie import as_httpie
from labkit.panel.visit.as_pytest import as_pytest
from labkit.panel.visit.as_shell import as_shell
from labkit.panel.visit.reading import read
from labkit.panel.visit.visits import browser_of, own_visit, visits

FORMATS: dict[str, Callable[[Script], str]] = {
    "pytest": lambda script: as_pytest(script, _demo_login()),
    "curl": as_shell,
    "httpie": as_httpie,
}
TITLES = {"pytest": "pytest", "curl": "curl", "httpie": "HTTPie"}


@require_safe
def record(request: HttpRequest) -> HttpResponse:
    """Show a visit as a test or script. Students see their own visit, the instructor all visits.

    The query may have `format`, `visitor` (default: all visitors), and the numbers `from` and `to`
    of the first and last exchange.
    """
    exchanges = _exchanges(request)
    first, last = _number(request, "from") or 0, _number(request, "to")
    chosen = _format(request)
    script = read(exchanges, first, last)
    context = {
        "instructor": is_local_instructor(request),
        "formats": TITLES,
        "chosen": chosen,
        "visitor": request.GET.get("visitor", ""),
        "exchanges": sorted(exchanges, key=lambda each: each.number),
        "first": first,
        "last": last,
        "text": FORMATS[chosen](script) if script.requests else "",
    }
    return render(request, "labkit/record.html", context)


@require_safe
def record_text(request: HttpRequest) -> HttpResponse:
    """Return the test or script as plain text, for `lab record`; status 404 if there is none."""
    script = read(_exchanges(request), _number(request, "from") or 0, _number(request, "to"))
    text = FORMATS[_format(request)](script) if script.requests else ""
    status = 200 if text else 404
    return HttpResponse(text, content_type="text/plain; charset=utf-8", status=status)


def _exchanges(request: HttpRequest) -> list[Exchange]:
    """Return the exchanges that this browser may see; only one visitor's if the query names one."""
    if not is_local_instructor(request):
        return own_visit(log, browser_of(request)).exchanges
    visitor = request.GET.get("visitor", "")
    found = [each for each in visits(log) if visitor in {"", each.visitor}]
    return [exchange for visit in found for exchange in visit.exchanges]


def _format(request: HttpRequest) -> str:
    wanted = request.GET.get("format", "")
    return wanted if wanted in FORMATS else "pytest"


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else None


def _demo_login() -> dict[str, str]:
    """Return {username: "module:expression"} for the password of the lab's demo user, if any.

    A lab with a login defines DEMO in lab/models.py, as lab 11 does.
    """
    demo: Any = getattr(sys.modules.get("lab.models"), "DEMO", None)
    if not isinstance(demo, dict) or not {"username", "password"} <= demo.keys():
        return {}
    return {str(demo["username"]): 'lab.models:DEMO["password"]'}
