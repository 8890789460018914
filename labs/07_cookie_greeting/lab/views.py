from django.conf import settings
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from lab import storage
from lab.forms import GreetForm
from labkit.base.session_expiry import clock_time


@require_safe
def index(request):
    return show_form(request, GreetForm())


@require_POST
def greet(request):
    form = GreetForm(request.POST)
    if not form.is_valid():
        return show_form(request, form, status=422)
    response = redirect("result")
    storage.put(request, response, form.cleaned_data["name"], form.cleaned_data["remember"])
    return response


@require_safe
def result(request):
    facts = [
        ("Day and time", clock_time(timezone.now())),
        ("Whose clock is it?", f"The server's. Its TIME_ZONE is {settings.TIME_ZONE}."),
        ("What did your browser send?", f"{storage.NAME}={storage.sent(request)}"),
    ]
    return render(
        request,
        "result.html",
        {"name": storage.load(request), "notice": storage.notice(request), "facts": facts},
    )


@require_POST
def forget(request):
    response = redirect("index")
    storage.clear(request, response)
    return response


def show_form(request, form, status=200):
    known = {"name": storage.load(request), "notice": storage.notice(request)}
    return render(request, "index.html", {"form": form, **known}, status=status)
