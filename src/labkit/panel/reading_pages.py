"""Show a lab's handout and code as pages of the lab, for the instructor and students.

Markdown and Pygments are loaded when the first such page is requested.
"""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from labkit.base import served_labs
from labkit.base.error_pages import error_page
from labkit.base.served_labs import CODE, HANDOUT
from labkit.catalog import Catalog, CatalogError
from labkit.panel import control_bar, server_clock, student_access
from labkit.panel.access import host_name, is_local_instructor

if TYPE_CHECKING:
    from labkit.textbook_versions import Version

CODE_HIDDEN = "The code is hidden"
CODE_HIDDEN_WHY = "Your instructor has hidden the code of this lab for now."


class LabLinks:
    """The URLs that labkit.render.handout needs, for this lab and labs that run alongside it."""

    def __init__(self, request: HttpRequest) -> None:
        self._site = f"{request.scheme}://{host_name(request)}"
        self._own_site = f"{request.scheme}://{request.get_host()}"
        self._instructor = is_local_instructor(request)

    def handout(self, number: str) -> str | None:
        """Return the URL of a lab's handout."""
        return self.lab(number, HANDOUT)

    def code(self, number: str) -> str | None:
        """Return the URL of the page with a lab's code."""
        return self.lab(number, CODE)

    def claims(self, number: str) -> str | None:
        """Return the URL of the claims in the console, or None for students."""
        return self._console(f"/console/claims/{f'?lab={number}' if number else ''}")

    def document(self, name: str) -> str | None:
        """Return the URL of docs/NAME.md in the console, or None for students."""
        return self._console(f"/console/docs/{name}/")

    def lab(self, number: str, path: str) -> str | None:
        """Return the URL of a path in this lab or in another lab that `lab serve` runs, or None."""
        if number == settings.LAB:
            return self._own_site + path
        port = served_labs.lab_port(number)
        return f"{self._site}:{port}{path}" if port else None

    def practice(self) -> str | None:
        """Return the URL of this lab's textbook versions in the console, or None for students."""
        return self._console(f"/console/practice/?lab={settings.LAB}")

    def exercises(self) -> str | None:
        """Return the URL of the students' list of exercises, or None without `lab serve`."""
        port = served_labs.console_port()
        return f"{self._site}:{port}/practice/" if port else None

    def _console(self, path: str) -> str | None:
        port = served_labs.console_port()
        return f"{self._site}:{port}{path}" if port and self._instructor else None


def _context(**page: Any) -> dict[str, Any]:
    """Return the template context for a handout or code page, including the moved clock."""
    return {"clock": control_bar.clock_text(server_clock.moved())} | page


@require_safe
def handout(request: HttpRequest) -> HttpResponse:
    """Show the lab's handout; ?answers=open shows all answers to those who may read them."""
    from labkit.render.handout import Answers, render_page

    path = settings.FOLDER / "README.md"
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        raise Http404("This lab has no handout.") from None
    answers = Answers.OPEN if request.GET.get("answers") == "open" else Answers.FOLDED
    if not student_access.may_read_answers(request):
        answers = Answers.HIDDEN
    links = LabLinks(request)
    page = render_page(text, f"labs/{settings.FOLDER.name}", links, answers)
    context = _context(page=page, answers=answers.value, versions=_textbook_versions(), links=links)
    return render(request, "labkit/handout.html", context)


def _textbook_versions() -> "tuple[Version, ...]":
    """Return this lab's textbook versions; () for a copy, or if they cannot be read."""
    from labkit.textbook_versions import read_versions

    checkout = Catalog(settings.FOLDER.parent.parent)
    with suppress(CatalogError, OSError):
        lab = checkout.find(settings.LAB)
        if lab.folder == settings.FOLDER:
            return read_versions(checkout, lab)
    return ()


@require_safe
def code(request: HttpRequest) -> HttpResponse:
    """Show every file of the lab's package, highlighted and in reading order."""
    from labkit.render.source_files import files
    from labkit.render.standalone_page import render_template

    if not student_access.may_read_code(request):
        return error_page(request, 403, CODE_HIDDEN, CODE_HIDDEN_WHY)
    found = {"files": files(settings.FOLDER, parts=["lab"])}
    source = mark_safe(render_template("render/source.html", found))  # the template escapes it
    return render(request, "labkit/code.html", _context(source=source))


@require_safe
def all_labs(request: HttpRequest) -> HttpResponse:
    """Redirect to the list of labs of `lab serve`: the console or the students' list."""
    port = served_labs.console_port()
    if port is None:
        raise Http404("Only this lab runs here.")
    return HttpResponseRedirect(f"{request.scheme}://{host_name(request)}:{port}/")
