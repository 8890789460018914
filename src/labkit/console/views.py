"""The console's pages about the labs: the list, handouts, code, logs, claims and live exchanges."""

from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from labkit.base.assets import asset
from labkit.base.served_labs import CODE, HANDOUT
from labkit.catalog import Catalog
from labkit.console import lab_actions, supervisor
from labkit.console.handout_links import ConsoleLinks
from labkit.console.live_exchanges import last_exchanges, update_states
from labkit.diff.html_page import STYLE as DIFF_STYLE
from labkit.panel import student_access
from labkit.panel.access import host_name, is_local_instructor
from labkit.processes.log_file import last_text
from labkit.render import source_files
from labkit.render.handout import Answers, Page, render_page
from labkit.sources import FILE as SOURCES
from labkit.textbook_claims import LEDGER, VERDICTS, Entry, Ledger

ASSETS = Path(__file__).parent / "static"
SHARED = {DIFF_STYLE.name: DIFF_STYLE.parent}  # stylesheets that single-file pages use too
LONGEST_VISITOR = 10  # in characters: the limit for a visitor's letter and number
LOG_LINES, LOG_BYTES = 200, 200_000  # limits for the part of the log to show, which is the end


@require_safe
def root(request: HttpRequest) -> HttpResponse:
    """Redirect the instructor to the console; show the class a list of the labs."""
    if is_local_instructor(request):
        return redirect("index")
    context = {"host": host_name(request), "labs": supervisor().labs}
    hidden = student_access.read_access(supervisor().checkout.state).hidden_code
    context |= {"handout": HANDOUT, "code": CODE, "hidden_code": hidden}
    return render(request, "class_index.html", context)


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List all labs with their state and the actions for each."""
    labs = supervisor().labs
    update_states(labs)
    meetings = [(number, list(group)) for number, group in groupby(labs, lambda s: s.lab.meeting)]
    context = {
        "meetings": meetings,
        "labs": labs,
        "in_use": [served for served in labs if served.active],
        "changing": [served for served in labs if served.changing],
        "not_reset": [served for served in labs if served.action_failed],
        "engine": labs[0].environ.get("SESSION_ENGINE", "").rpartition(".")[2],
        "here": "index",
    }
    return render(request, "index.html", context | lab_actions.context(request))


def _lab_context(request: HttpRequest, number: str, tab: str) -> dict[str, Any]:
    """Return the context for a lab's page, with its state. Raises Http404 if it is not served."""
    served = lab_actions.find_lab(number)
    update_states([served])
    return {"served": served, "tab": tab, "here": "index"} | lab_actions.context(request)


@require_safe
def handout(request: HttpRequest, number: str) -> HttpResponse:
    """Show a lab's handout; ?answers=shown unfolds the answers, for example for printing."""
    context = _lab_context(request, number, "handout")
    served = context["served"]
    path = served.lab.folder / "README.md"
    answers = request.GET.get("answers") == "shown"
    how = Answers.OPEN if answers else Answers.FOLDED
    page = _page(path, f"labs/{served.lab.folder.name}", how)
    return render(request, "handout.html", context | {"page": page, "answers": answers})


def _page(path: Path, folder: str, answers: Answers = Answers.FOLDED) -> Page:
    """Render a Markdown file of the checkout. Raises Http404 if it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        raise Http404(f"no {path.name}") from None
    return render_page(text, folder, ConsoleLinks(), answers)


@require_safe
def document(request: HttpRequest, name: str) -> HttpResponse:
    """Show a page of docs/, such as the one for instructors."""
    page = _page(supervisor().checkout.root / "docs" / f"{name}.md", "docs")
    return render(request, "document.html", {"page": page, "here": name})


@require_safe
def code(request: HttpRequest, number: str) -> HttpResponse:
    """Show a lab's files, highlighted and in reading order."""
    context = _lab_context(request, number, "code")
    files = source_files.files(context["served"].lab.folder)
    return render(request, "code.html", context | {"files": files})


@require_safe
def log(request: HttpRequest, number: str) -> HttpResponse:
    """Show the last lines that a lab's process logged."""
    context = _lab_context(request, number, "log")
    try:
        lines = last_text(context["served"].log, LOG_BYTES).splitlines()[-LOG_LINES:]
    except OSError:
        lines = []
    return render(request, "log.html", context | {"lines": lines})


@cache
def _ledger(checkout: Catalog, *changed: int) -> Ledger:
    return Ledger(checkout)


def _matches(entry: Entry, wanted: dict[str, str]) -> bool:
    kind = "claim" if entry.is_claim else "pitfall"
    titles = [source.title for source in entry.sources]
    parts = [entry.id, entry.text, entry.evidence, entry.why, entry.instead, *titles]
    text = " ".join(parts).lower()
    return (
        wanted["lab"] in {"", entry.lab}
        and wanted["verdict"] in {"", entry.verdict}
        and wanted["kind"] in {"", kind}
        and all(word in text for word in wanted["text"].lower().split())
    )


@require_safe
def claims(request: HttpRequest) -> HttpResponse:
    """Show the ledger of claims and pitfalls, filtered by lab, verdict, kind and words."""
    checkout = supervisor().checkout
    files = [checkout.root / LEDGER, checkout.root / SOURCES]
    ledger = _ledger(checkout, *(path.stat().st_mtime_ns for path in files))
    wanted = {name: request.GET.get(name, "") for name in ("lab", "verdict", "kind", "text")}
    rows = [(e, ledger.proofs_of(e)) for e in ledger.entries if _matches(e, wanted)]
    context: dict[str, Any] = {
        "rows": rows,
        "total": len(ledger.entries),
        "wanted": wanted,
        "labs": checkout.labs,
        "served": {served.number for served in supervisor().labs},
        "verdicts": VERDICTS,
        "kinds": ["claim", "pitfall"],
        "here": "claims",
    }
    return render(request, "claims.html", context)


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Show the last exchanges, of all labs and visitors or only of those that the query names.

    The page's script reloads the exchanges every second.
    """
    chosen = supervisor().find(request.GET.get("lab", ""))
    visitor = request.GET.get("visitor", "")[:LONGEST_VISITOR]
    shown = [chosen] if chosen else supervisor().labs
    exchanges, visitors = last_exchanges(shown, visitor)
    context = {
        "exchanges": exchanges,
        "shown": shown,
        "chosen": chosen,
        "visitor": visitor,
        "visitors": visitors,
        "labs": supervisor().labs,
        "here": "live",
    }
    return render(request, "live.html", context)


def own_asset(request: HttpRequest, path: str) -> HttpResponseBase:
    """Return one of the console's stylesheets or its script."""
    return asset(request, path, SHARED.get(path, ASSETS))
