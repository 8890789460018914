"""The panel's pages: one exchange in five parts, the list of all, and the instructor's acts."""

import re
import shlex
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from labkit.base.errors import error_page
from labkit.panel import clock, controls, cookies, diagram, explanations, stored, summary_bar
from labkit.panel.access import is_local_instructor
from labkit.panel.log import REMEMBERED, Exchange, log
from labkit.stores import has_sessions

SHOWN = 200  # exchanges in a list


@require_safe
def exchange(request: HttpRequest, token: str) -> HttpResponse:
    """One exchange, and the redirect that led to it. Whoever has its address may look."""
    found = log.find(token)
    if found is None:
        return error_page(
            request,
            404,
            "This exchange has been forgotten",
            f"The last {REMEMBERED} exchanges are kept, until the lab is reset or restarted.",
        )
    shown = [found.before_this, found] if found.before_this else [found]
    instructor = is_local_instructor(request)
    parts = [_parts(each, instructor) for each in shown]
    return render(
        request,
        "labkit/exchange.html",
        {
            "exchange": found,
            "sentence": summary_bar.with_redirect(found),
            "parts": parts,
            "stored": _stored(found.engine, parts[-1]["session"], instructor),
            "diagram": diagram.svg(found),
            "arrows": diagram.arrows(found),
            "instructor": instructor,
            "curl": _curl(found) if instructor else "",
            "key": controls.KEY if instructor else "",
            "said": request.GET.get("said", "")[:400] if instructor else "",
            **(_choices(request) if instructor else {}),
            "back": found.path if found.method in {"GET", "HEAD"} else "/",
        },
    )


def _parts(exchange: Exchange, details: bool) -> dict[str, Any]:
    return {
        "exchange": exchange,
        "gist": summary_bar.gist(exchange),
        "sent": cookies.sent(exchange),
        "form": parse_qsl(exchange.form, keep_blank_values=True),
        "session": explanations.tell(exchange, details) if exchange.engine else None,
        "given": cookies.given(exchange),
        "milliseconds": f"{exchange.duration * 1000:.1f}",
    }


def _stored(engine: str, told: explanations.Told | None, details: bool) -> dict[str, Any]:
    """What lies in the store now, and where there is none, why."""
    if told is None:
        return {
            "why_not": "This lab keeps nothing on the server: what it remembers is in the cookies."
        }
    key = told.key_after or told.key_before
    if not key:
        return {"why_not": "This visitor has no session, so nothing is stored."}
    found = stored.describe_stored(engine, key, details)
    if found is None:
        return {"why_not": "Nothing any more: the session has been deleted since."}
    return {"facts": found.facts, "decoded": found.decoded, "life": found.life}


def _choices(request: HttpRequest) -> dict[str, Any]:
    """What may be moved, and what of this very browser's may be changed."""
    return {
        "steps": list(controls.STEPS.items()),
        "moved": clock.moved(),
        "own_cookies": [name for name in request.COOKIES if cookies.whose(name)[1]],
        "entries": controls.entries(request),
    }


def _curl(exchange: Exchange) -> str:
    """The request again, for a terminal."""
    words = ["curl", "-i"]
    if exchange.method == "HEAD":
        words = ["curl", "-I"]
    elif exchange.method not in {"GET", "POST"} or (
        exchange.method == "POST" and not exchange.form
    ):
        words += ["-X", exchange.method]
    if exchange.cookie_header:
        words += ["-H", f"Cookie: {exchange.cookie_header}"]
    if exchange.form:
        words += ["--data", exchange.form]
    return shlex.join([*words, f"{exchange.scheme}://{exchange.host}{exchange.path}"])


@require_safe
def exchanges(request: HttpRequest) -> HttpResponse:
    """All that is remembered, of all visitors, for the instructor's own machine."""
    if not is_local_instructor(request):
        raise Http404
    listed = [(log.visitor(each), summary_bar.gist(each), each) for each in log.newest()[:SHOWN]]
    return render(request, "labkit/exchanges.html", {"exchanges": listed})


@require_safe
def as_json(request: HttpRequest) -> HttpResponse:
    """The same for programs, such as the console; `?most=5` for no more than five."""
    if not is_local_instructor(request):
        raise Http404
    most = request.GET.get("most", "")
    newest = log.newest()[: min(SHOWN, int(most)) if re.fullmatch("[0-9]{1,4}", most) else SHOWN]
    return JsonResponse({"moved": clock.moved(), "exchanges": [_as_json(each) for each in newest]})


def _as_json(exchange: Exchange) -> dict[str, Any]:
    return {
        "number": exchange.number,
        "at": datetime.fromtimestamp(exchange.at - exchange.moved, UTC).isoformat(
            timespec="seconds"
        ),
        "visitor": log.visitor(exchange),
        "host": exchange.host,
        "method": exchange.method,
        "path": exchange.path[:200],
        "status": exchange.status,
        "sentence": summary_bar.gist(exchange),
        "url": f"/__lab__/exchange/{exchange.token}/",
    }


@require_POST
def control(request: HttpRequest, token: str, what: str) -> HttpResponse:
    """Do one of the instructor's acts, and go back to the panel, which says what was done."""
    response = HttpResponseRedirect("")
    try:
        controls.check(request)
        if what == "clock":
            said = controls.move_clock(request.POST.get("by", ""))
        elif what == "reset":
            controls.reset(request, response)
            response["Location"] = "/"
            return response
        elif what == "cookie":
            said = controls.change_cookie(request, response)
        elif what == "entry" and has_sessions():
            said = controls.change_entry(request)
        else:
            raise Http404
    except controls.NotAllowed as refused:
        return error_page(request, 403, "This was refused", str(refused))
    response["Location"] = f"/__lab__/exchange/{token}/?{urlencode({'said': said})}#controls"
    return response
