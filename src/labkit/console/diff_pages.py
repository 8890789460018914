"""Pages for what `lab diff` shows: what differs between two labs or variants, and why."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from labkit.base.error_pages import error_page
from labkit.catalog import Catalog, CatalogError, Lab
from labkit.console import supervisor
from labkit.diff import Notes, compare, find_sides
from labkit.diff.html_page import page_diff
from labkit.diff.inputs import find_side
from labkit.textbook_versions import all_versions

View = Callable[..., HttpResponse]


def show_catalog_errors(view: View) -> View:
    """Make a view show an error page for a CatalogError, such as a mistake in an edited file."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except CatalogError as error:
            return error_page(request, 500, "This page cannot be shown", str(error))

    return wrapped


@require_safe
@show_catalog_errors
def index(request: HttpRequest) -> HttpResponse:
    """List the labs and variants worth comparing; ?lab=04 redirects to that lab's comparison."""
    checkout = supervisor().checkout
    if number := request.GET.get("lab"):
        return redirect(_lab_url(checkout, number))
    if {"this", "that"} <= request.GET.keys():  # chosen in a form
        names = request.GET["this"], request.GET["that"]
        _require_known(checkout, *names)
        return redirect("difference", *names)
    pairs = [pair for pair in Notes(checkout).pairs() if ":" not in "".join(pair)]
    context = {
        "twins": [(checkout.find(one), checkout.find(two)) for one, two in pairs],
        "choices": [_choice(checkout, lab) for lab in checkout.labs if lab.variants],
        "here": "differences",
    }
    return render(request, "differences.html", context)


@require_safe
@show_catalog_errors
def difference(request: HttpRequest, one: str, two: str) -> HttpResponse:
    """Show how two labs or variants differ: each change side by side, with its note."""
    checkout = supervisor().checkout
    _require_known(checkout, one, two)
    found = compare(checkout, *find_sides(checkout, one, two))
    labs = list(dict.fromkeys(checkout.find(name.partition(":")[0]) for name in (one, two)))
    context = {
        "diff": page_diff(found),
        "labs": labs,
        "served": {served.number for served in supervisor().labs},
        "choice": _choice(checkout, labs[0], one, two) if _are_variants(labs, one, two) else None,
        "here": "differences",
    }
    return render(request, "difference.html", context)


def _are_variants(labs: list[Lab], *names: str) -> bool:
    """Return whether all of these names are variants of the only lab in the list."""
    return not labs[1:] and {name.partition(":")[2] for name in names} <= labs[0].variants.keys()


def _require_known(checkout: Catalog, *names: str) -> None:
    """Raise Http404 unless all names are in the manifest, since other folders must not be shown."""
    known = {lab.number for lab in checkout.labs}
    known |= {f"{lab.number}:{name}" for lab in checkout.labs for name in lab.variants}
    known |= {version.full_name for version in all_versions(checkout)}
    for name in names:
        if name not in known:
            raise Http404(f"no {name} to compare")


def _lab_url(checkout: Catalog, number: str) -> str:
    """Return the URL of this lab's only comparison, or of its entry in the list. Raises Http404."""
    pairs = list(Notes(checkout).pairs())
    pairs = [pair for pair in pairs if number in {name.partition(":")[0] for name in pair}]
    if not pairs:
        raise Http404(f"lab {number} is compared with nothing")
    if pairs[1:]:
        return f"{reverse('differences')}#lab-{number}"
    return reverse("difference", args=pairs[0])


def _choice(checkout: Catalog, lab: Lab, one: str = "", two: str = "") -> dict[str, Any]:
    """Return a lab with its variants, and the names of the two preselected in the form."""
    names = [f"{lab.number}:{variant}" for variant in lab.variants]
    variants = [find_side(checkout, name) for name in names]
    return {"lab": lab, "variants": variants, "one": one or names[0], "two": two or names[-1]}
