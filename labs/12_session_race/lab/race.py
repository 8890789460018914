"""The race: the server sends many add requests, as if from several of the visitor's tabs."""

from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from lab.forms import RaceForm
from lab.pages import show_page
from labkit.base.session_lock import lock_error
from labkit.race import RaceUnderWay, Timeline, run_race


@require_POST
def start_race(request, way):
    """Run a race and show its result. Do not redirect: the result is stored nowhere.

    This view must not change request.session. The tabs change the stored session in the meantime,
    and Django would then save this view's older copy over their adds.
    """
    form = RaceForm(request.POST)
    if not form.is_valid():
        return show_page(request, way, status=422, race_form=form)
    if way == "locked" and (error := lock_error(request.session)):
        return show_page(request, way, status=409, notice=error)
    chosen = form.cleaned_data
    paths = {"empty": reverse("empty"), "add": reverse(f"add_{way}"), "cart": reverse("cart")}
    tabs = range(1, chosen["tabs"] + 1)
    if chosen["which_items"] == "different":
        items = [f"tab {tab}" for tab in tabs]
    else:
        items = ["apple" for tab in tabs]
    try:
        race = run_race(
            request,
            paths,
            posts=[{"name": item, "delay": chosen["delay"]} for item in items],  # one for each tab
            adds=chosen["adds"],  # of all tabs together
            overlap=chosen["delay"] > 0,  # run_race() holds each tab until all have read
        )
    except RaceUnderWay:
        form.add_error(None, "Another race is running. Try again in a moment.")
        return show_page(request, way, status=429, race_form=form)
    context = {
        "way": way,
        "race": race,
        "timeline": Timeline(race.steps, race.tabs),
        "chosen": chosen,
        "race_form": form,
    }
    response = render(request, "result.html", context)
    race.set_cookies_on(response)  # give the real browser the tabs' session cookie
    return response
