"""`lab diff` as pages of the console: what differs between two labs or variants, and why."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from labkit.base.errors import error_page
from labkit.catalog import Catalog, CatalogError, Lab
from labkit.console import current
from labkit.diff import Notes, Side, compare, find_sides
from labkit.diff.html_page import page_diff
from labkit.diff.inputs import find_side

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Choice:
    """A lab with variants, any two of which can be held against each other."""

    lab: Lab
    variants: list[Side]
    this: str  # the two that the form shows
    that: str


def told(view: View) -> View:
    """Have the page say what is wrong with a file that somebody is editing."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except CatalogError as error:
            return error_page(request, 500, "It cannot be compared", str(error))

    return wrapped


@require_safe
@told
def index(request: HttpRequest) -> HttpResponse:
    """All that is worth comparing; ?lab=04 leads on to what there is of this lab."""
    checkout = current().checkout
    if number := request.GET.get("lab"):
        return redirect(_of_lab(checkout, number))
    if {"this", "that"} <= request.GET.keys():  # chosen in a form
        names = request.GET["this"], request.GET["that"]
        _expect(checkout, *names)
        return redirect("difference", *names)
    pairs = [pair for pair in Notes(checkout).pairs() if ":" not in "".join(pair)]
    context = {
        "twins": [(checkout.find(one), checkout.find(two)) for one, two in pairs],
        "choices": [_choice(checkout, lab) for lab in checkout.labs if lab.variants],
        "here": "differences",
    }
    return render(request, "differences.html", context)


@require_safe
@told
def difference(request: HttpRequest, one: str, two: str) -> HttpResponse:
    """What differs between two: each change side by side, and why it is there."""
    checkout = current().checkout
    _expect(checkout, one, two)
    found = compare(checkout, *find_sides(checkout, one, two))
    labs = list(dict.fromkeys(checkout.find(name.partition(":")[0]) for name in (one, two)))
    context = {
        "diff": page_diff(found),
        "labs": labs,
        "served": {served.number for served in current().labs},
        "choice": _choice(checkout, labs[0], one, two) if ":" in one and not labs[1:] else None,
        "here": "differences",
    }
    return render(request, "difference.html", context)


def _expect(checkout: Catalog, *names: str) -> None:
    """Raise Http404 unless the manifest has all of these: no other folder is shown here."""
    known = {lab.number for lab in checkout.labs}
    known |= {f"{lab.number}:{name}" for lab in checkout.labs for name in lab.variants}
    for name in names:
        if name not in known:
            raise Http404(f"no {name} to compare")


def _of_lab(checkout: Catalog, number: str) -> str:
    """Where this lab is compared: on one page, or at a place in the list. Raises Http404."""
    pairs = list(Notes(checkout).pairs())
    pairs = [pair for pair in pairs if number in {name.partition(":")[0] for name in pair}]
    if not pairs:
        raise Http404(f"lab {number} is compared with nothing")
    if pairs[1:]:
        return f"{reverse('differences')}#lab-{number}"
    return reverse("difference", args=pairs[0])


def _choice(checkout: Catalog, lab: Lab, this: str = "", that: str = "") -> Choice:
    names = [f"{lab.number}:{variant}" for variant in lab.variants]
    variants = [find_side(checkout, name) for name in names]
    return Choice(lab, variants, this or names[0], that or names[-1])
