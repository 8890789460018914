from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from lab import storage
from lab.forms import AddForm, RaceForm
from labkit.base.session_lock import why_not
from labkit.race import Busy, Timeline, run

IDS = "race_%s"  # of the fields of the second form on the page


def page(request, way="", status=200, **context):
    """Draw the start page, or that of one of the two ways."""
    if "race" not in context:
        # A list of pairs: a template looks a name up in a dictionary before it tries .items.
        context["goods"] = list(storage.load(request).items())
    context = {"way": way, "add_form": AddForm(), "race_form": RaceForm(auto_id=IDS)} | context
    return render(request, "way.html" if way else "index.html", context, status=status)


def refused(request):
    return page(request, "locked", status=409, notice=why_not(request.session))


@require_safe
def index(request):
    return page(request)


@require_safe
def one(request, way):
    return page(request, way)


@require_POST
def race(request, way):
    """Let the tabs loose, and show what came of it. No redirect: it is kept nowhere else."""
    form = RaceForm(request.POST, auto_id=IDS)
    if not form.is_valid():
        return page(request, way, status=422, race_form=form)
    if way == "locked" and why_not(request.session):
        return refused(request)
    chosen = form.cleaned_data
    paths = {"begin": reverse("empty"), "add": reverse(f"add_{way}"), "look": reverse("cart")}
    try:
        # This view leaves the session alone: a copy of it, saved last, would undo all of it.
        result = run(request, paths, chosen["tabs"], chosen["adds"], form.fields_of)
    except Busy:
        form.add_error(None, "Somebody's tabs are racing just now. Try again in a moment.")
        return page(request, way, status=429, race_form=form)
    timeline = Timeline(result.steps, result.tabs)
    response = page(request, way, race=result, timeline=timeline, chosen=chosen, race_form=form)
    result.give_cookies_to(response)
    return response
