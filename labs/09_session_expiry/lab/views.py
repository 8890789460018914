from django.conf import settings
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from lab import facts, notices, session_rows, storage
from lab.forms import PolicyForm


@require_safe
def index(request):
    return start_page(request, PolicyForm(initial={"policy": request.session.get("policy")}))


@require_POST
def policy(request):
    form = PolicyForm(request.POST)
    if not form.is_valid():
        return start_page(request, form, status=422)
    storage.set_policy(request.session, form.cleaned_data["policy"])
    return redirect("index")


def start_page(request, form, status=200):
    context = {"form": form, "facts": facts.describe(request.session)}
    return render(request, "index.html", context | times(request), status=status)


def times(request):
    """Return the template context for the pages that show the session's times."""
    context = {"notice": notices.notice(request), "figures": facts.figures(request.session)}
    context |= {"at_close": facts.AT_CLOSE, "no_key": notices.NO_KEY}
    return context | {"every_request": settings.SESSION_SAVE_EVERY_REQUEST}


@require_POST
def touch(request):
    storage.touch(request.session)
    return redirect("index")


@require_safe
def read(request):
    """Read from the session without changing it."""
    return render(request, "read.html", times(request))


@require_safe
def rows(request):
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    listed = {"rows": session_rows.list_rows(key), "missing": session_rows.missing_rows()}
    page = listed | {"most": session_rows.MOST_ROWS, "deleted": request.GET.get("gone", "")[:6]}
    return render(request, "rows.html", page)


@require_POST
def clear_expired(request):
    deleted = session_rows.clear_expired(request.session)
    return redirect(reverse("rows", query={"gone": deleted}))
