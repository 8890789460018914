"""The pages: the start page, and one for each way, "naive" and "locked"."""

from django.shortcuts import render
from django.views.decorators.http import require_safe

from lab import storage
from lab.forms import AddForm, RaceForm


@require_safe
def index(request):
    return show_page(request)


@require_safe
def way_page(request, way):
    return show_page(request, way)


def show_page(request, way=None, status=200, **instead):
    """Show the page of this way, or the start page.

    instead: values for the context, such as a form with its errors instead of an empty one.
    """
    context = {
        "way": way,
        "goods": storage.load(request),
        "notice": storage.notice(request),
        "add_form": AddForm(),
        "race_form": RaceForm(),
    }
    template = "way.html" if way else "index.html"
    return render(request, template, context | instead, status=status)
