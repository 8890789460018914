"""The pages of the console."""

from functools import cache
from pathlib import Path
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST, require_safe
from django.views.static import serve

from labkit.catalog import Catalog
from labkit.claims import VERDICTS, Entry, Ledger
from labkit.console import current
from labkit.console import source_code as code_pages
from labkit.console.handouts import Page, render_page
from labkit.console.live_exchanges import last_exchanges, note_clocks
from labkit.diff.html_page import STYLE as DIFF_STYLE
from labkit.panel.access import is_local_instructor
from labkit.serve.network import qr_as_svg
from labkit.serve.supervisor import LabProcess

ASSETS = Path(__file__).parent / "static"
SHARED = {DIFF_STYLE.name: DIFF_STYLE.parent}  # stylesheets shared with pages in one file
LOG_LINES = 200  # the last ones


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """The instructor goes on to the console; the class gets a list of the labs."""
    if is_local_instructor(request):
        return redirect("index")
    host = request.get_host().rpartition(":")[0] or request.get_host()
    return render(request, "front.html", {"host": host, "labs": current().labs})


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """All labs, how they are, and what can be done with them."""
    note_clocks(current().labs)
    return render(request, "index.html", {"labs": current().labs, "here": "index"})


def _chosen(request: HttpRequest) -> list[LabProcess]:
    """The labs that a form names: one, or all. Raises Http404."""
    name = request.POST.get("lab", "")
    return current().labs if name == "all" else [_served(name)]


def _served(number: str) -> LabProcess:
    served = current().find(number)
    if served is None:
        raise Http404(f"no lab {number} is served")
    return served


def _lab_shown(number: str) -> LabProcess:
    """A lab whose state stands on the page. Raises Http404."""
    served = _served(number)
    note_clocks([served])
    return served


@require_POST
def reset(request: HttpRequest) -> HttpResponse:
    """Empty what one lab or all keep on the server, and start them anew."""
    current().reset(_chosen(request))
    return redirect("index")


@require_POST
def restart(request: HttpRequest) -> HttpResponse:
    """Start one lab anew, such as one that failed and was mended."""
    current().restart(_chosen(request))
    return redirect("index")


@require_safe
def handout(request: HttpRequest, number: str) -> HttpResponse:
    """A lab's handout; ?answers=shown opens the answers, for the screen and for the printer."""
    served = _lab_shown(number)
    path = served.lab.folder / "README.md"
    answers = request.GET.get("answers") == "shown"
    page = _page(path, f"labs/{served.lab.folder.name}", answers=answers)
    context = {"served": served, "page": page, "answers": answers, "here": "index"}
    return render(request, "handout.html", context)


def _page(path: Path, folder: str, *, answers: bool = False) -> Page:
    """A Markdown file of the checkout for the console. Raises Http404 where there is none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        raise Http404(f"no {path.name}") from None
    return render_page(text, folder, current(), answers=answers)


@require_safe
def document(request: HttpRequest, name: str) -> HttpResponse:
    """A page of docs/, such as the one for instructors."""
    page = _page(current().checkout.root / "docs" / f"{name}.md", "docs")
    return render(request, "document.html", {"page": page, "here": name})


@require_safe
def code(request: HttpRequest, number: str) -> HttpResponse:
    """A lab's files in reading order, highlighted."""
    served = _lab_shown(number)
    files = code_pages.files(served.lab.folder)
    return render(request, "code.html", {"served": served, "files": files, "here": "index"})


@require_safe
def log(request: HttpRequest, number: str) -> HttpResponse:
    """The end of what a lab's process wrote."""
    served = _lab_shown(number)
    try:
        lines = served.log.read_text(errors="replace").splitlines()[-LOG_LINES:]
    except OSError:
        lines = []
    return render(request, "log.html", {"served": served, "lines": lines, "here": "index"})


@cache
def _ledger(checkout: Catalog, changed: int) -> Ledger:
    return Ledger(checkout)


def _shown(entry: Entry, wanted: dict[str, str]) -> bool:
    kind = "claim" if entry.is_claim else "pitfall"
    said = " ".join([entry.id, entry.text, entry.evidence, entry.instead]).lower()
    return (
        wanted["lab"] in {"", entry.lab}
        and wanted["verdict"] in {"", entry.verdict}
        and wanted["kind"] in {"", kind}
        and all(word in said for word in wanted["text"].lower().split())
    )


@require_safe
def claims(request: HttpRequest) -> HttpResponse:
    """The ledger of claims and pitfalls, by lab, verdict, kind and words."""
    checkout = current().checkout
    ledger = _ledger(checkout, (checkout.root / "labs" / "claims.toml").stat().st_mtime_ns)
    wanted = {name: request.GET.get(name, "") for name in ("lab", "verdict", "kind", "text")}
    rows = [(e, ledger.proving(e)) for e in ledger.entries if _shown(e, wanted)]
    context: dict[str, Any] = {
        "rows": rows,
        "total": len(ledger.entries),
        "wanted": wanted,
        "labs": checkout.labs,
        "served": {served.number for served in current().labs},
        "verdicts": VERDICTS,
        "kinds": ["claim", "pitfall"],
        "here": "claims",
    }
    return render(request, "claims.html", context)


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The last exchanges in any lab; the page's script asks for it again every second."""
    chosen = current().find(request.GET.get("lab", ""))
    asked = [chosen] if chosen else current().labs
    context = {"exchanges": last_exchanges(asked), "asked": asked, "chosen": chosen}
    context |= {"labs": current().labs, "here": "live"}
    return render(request, "live.html", context)


@require_safe
def class_(request: HttpRequest) -> HttpResponse:
    """The address for the class, large, and as a QR code."""
    url = current().class_url
    # The code is drawn by segno from our own address.
    qr = mark_safe(qr_as_svg(url)) if url else ""
    return render(request, "class.html", {"url": url, "qr": qr, "here": "class"})


@require_safe
def own_asset(request: HttpRequest, path: str) -> HttpResponseBase:
    """The console's own stylesheets and script."""
    try:
        response = serve(request, path, document_root=SHARED.get(path, ASSETS))
    except OSError:  # no file system takes such a name
        raise Http404 from None
    response["Cache-Control"] = "no-cache"
    return response
