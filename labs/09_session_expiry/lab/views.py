from django.conf import settings
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from lab import facts, storage
from lab import rows as table
from lab.forms import PolicyForm


@require_safe
def index(request):
    return start_page(request, PolicyForm(initial={"policy": request.session.get("policy")}))


@require_POST
def policy(request):
    form = PolicyForm(request.POST)
    if not form.is_valid():
        return start_page(request, form, status=422)
    storage.choose(request.session, form.cleaned_data["policy"])
    return redirect("index")


def start_page(request, form, status=200):
    context = {"form": form, "every": settings.SESSION_SAVE_EVERY_REQUEST}
    context |= {"notice": facts.notice(request), "facts": facts.describe(request.session)}
    return render(request, "index.html", context, status=status)


@require_POST
def touch(request):
    storage.touch(request.session)
    return redirect("index")


@require_safe
def read(request):
    """Read from the session, and nothing else."""
    context = {"notice": facts.notice(request), "every": settings.SESSION_SAVE_EVERY_REQUEST}
    if "written" in request.session:
        context["left"] = storage.seconds_left(request.session)
        context["age"] = request.session.get_expiry_age()
    return render(request, "read.html", context)


@require_safe
def rows(request):
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    context = {"rows": table.everybodys(key), "elsewhere": table.kept_elsewhere()}
    context |= {"most": table.MOST, "gone": request.GET.get("gone", "")[:6]}
    return render(request, "rows.html", context)


@require_POST
def clear_expired(request):
    gone = table.clear_expired(request.session)
    return redirect(f"{reverse('rows')}?gone={gone}")
