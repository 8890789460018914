"""The lesson: two ways to add an item. pages.py renders the pages, and race.py runs the race."""

import time

from django.http import JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from lab import storage
from lab.forms import AddForm
from lab.pages import show_page
from labkit.base.session_lock import lock_error, locked


@require_POST
def add_naive(request):
    """Read the cart, wait, and change it. Django saves the session after the view."""
    form = AddForm(request.POST)
    if not form.is_valid():
        return show_page(request, "naive", status=422, add_form=form)
    goods = storage.load(request)
    time.sleep(form.cleaned_data["delay"] / 1000)
    storage.add_one(request, goods, form.cleaned_data["name"])
    return redirect("naive")


@require_POST
def add_locked(request):
    """Do the same in a block that locks the session's row.

    locked() in labkit/base/session_lock.py locks the row, reads the session from it, and saves the
    session before it releases the lock.
    """
    form = AddForm(request.POST)
    if not form.is_valid():
        return show_page(request, "locked", status=422, add_form=form)
    error = lock_error(request.session)  # a message if the engine stores no row, otherwise None
    if error:
        return show_page(request, "locked", status=409, notice=error)
    with locked(request):
        goods = storage.load(request)
        time.sleep(form.cleaned_data["delay"] / 1000)
        storage.add_one(request, goods, form.cleaned_data["name"])
    return redirect("locked")


@require_POST
def empty(request):
    storage.clear(request)
    return redirect("index")


@require_safe
def cart(request):
    """Return the cart as JSON, for the race."""
    return JsonResponse(storage.load(request))
