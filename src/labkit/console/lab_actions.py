"""Reset and restart labs, with buttons in the list of labs or on a lab's pages.

The console asks for confirmation before it resets a lab in use, or all labs at once. The question
and the result appear next to the button: a query parameter in the page's URL names the lab.
"""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from labkit.console import cookie_expiry, supervisor
from labkit.console.live_exchanges import update_states
from labkit.panel.live_report import ACTIVE_SECONDS
from labkit.serve.supervisor import LabProcess
from labkit.text_format import duration

ALL = "all"
LAB_PAGES = {"handout", "code", "log"}  # pages of a lab that also have the buttons


def find_lab(number: str) -> LabProcess:
    """Return the lab with this number. Raises Http404 if it is not served."""
    served = supervisor().find(number)
    if served is None:
        raise Http404(f"no lab {number} is served")
    return served


def context(request: HttpRequest) -> dict[str, Any]:
    """Return context: the lab whose reset needs confirmation, and the lab of the last action."""
    return {
        "asked": request.GET.get("ask", ""),
        "done": request.GET.get("done", ""),
        "expired": "expired" in request.GET,
        "active_within": duration(ACTIVE_SECONDS),
        "here_path": request.path,
    }


@require_POST
def reset(request: HttpRequest) -> HttpResponse:
    """Delete all data that one lab or all labs store, and restart them.

    Then redirect the browser to responses that delete the cookies of these labs.

    Ask for confirmation first, unless this form confirms the reset or nobody is using the lab.
    """
    labs = _chosen(request)
    if request.POST.get("confirmed") != "1" and _must_ask(request, labs):
        return _back(request, "ask")
    cookies = cookie_expiry.logged_cookies(request, labs)
    supervisor().reset(labs)
    return cookie_expiry.start(request, labs, cookies, _back_url(request, "done", "&expired=1"))


@require_POST
def restart(request: HttpRequest) -> HttpResponse:
    """Restart a lab, for example after it failed and was repaired."""
    supervisor().restart(_chosen(request))
    return _back(request, "done")


def _chosen(request: HttpRequest) -> list[LabProcess]:
    """Return the labs that a form names, one or all. Raises Http404 if the lab is not served."""
    name = request.POST.get("lab", "")
    return supervisor().labs if name == ALL else [find_lab(name)]


def _must_ask(request: HttpRequest, labs: list[LabProcess]) -> bool:
    """Return whether to ask first: for all labs, or for a lab that is or may be in use."""
    update_states(labs)
    return request.POST["lab"] == ALL or any(served.active != 0 for served in labs)


def _back(request: HttpRequest, parameter: str) -> HttpResponse:
    """Redirect to the page with the form."""
    return redirect(_back_url(request, parameter))


def _back_url(request: HttpRequest, parameter: str, more: str = "") -> str:
    """Return the path, query and fragment of the page with the form."""
    name, page = request.POST["lab"], request.POST.get("page", "")
    of_lab = page in LAB_PAGES and name != ALL
    path = reverse(page, args=[name]) if of_lab else reverse("index")
    place = ALL if name == ALL else f"lab-{name}"
    return f"{path}?{parameter}={name}{more}#{place}"
