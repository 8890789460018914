from django.http import JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from lab import storage
from lab.forms import AddForm
from lab.pages import page, refused
from labkit.base.session_lock import locked, why_not
from labkit.race import asks, read, take_a_while


@require_POST
def add_naive(request):
    """Read, take a while, and write. Django saves the session after that."""
    form = AddForm(request.POST)
    if not form.is_valid():
        return page(request, "naive", status=422, add_form=form)
    goods = read(request, storage.load)
    take_a_while(request, form.cleaned_data["delay"] / 1000)
    storage.put(request, goods, form.cleaned_data["name"])
    return redirect("naive")


@require_POST
def add_locked(request):
    """The same, while every other request of this session waits."""
    form = AddForm(request.POST)
    if not form.is_valid():
        return page(request, "locked", status=422, add_form=form)
    if why_not(request.session):
        return refused(request)
    asks(request)
    with locked(request):
        goods = read(request, storage.load)
        take_a_while(request, form.cleaned_data["delay"] / 1000)
        storage.put(request, goods, form.cleaned_data["name"])
    return redirect("locked")


@require_POST
def empty(request):
    storage.clear(request)
    return redirect("index")


@require_safe
def cart(request):
    """The goods, for who asks from a program."""
    return JsonResponse(storage.load(request))
