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


def show_page(request, way="", status=200, **context):
    """Render the page for this way, or the start page. Add `context` to the default context."""
    if "race" not in context:
        # After a race, leave out the cart: the tabs may have a new session, which is not this
        # request's.
        context["cart_rows"] = list(storage.load(request).items())
        context.setdefault("notice", storage.notice(request))
    context = {"way": way, "add_form": AddForm(), "race_form": RaceForm()} | context
    return render(request, "way.html" if way else "index.html", context, status=status)
