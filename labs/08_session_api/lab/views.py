from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lab import report
from lab.forms import StudentForm
from lab.operations import GROUPS, OPERATIONS


@require_safe
def index(request):
    return render(request, "index.html", {"groups": GROUPS})


@require_http_methods(["GET", "HEAD", "POST"])
def student_set(request):
    if request.method != "POST":
        return render(request, "set.html", {"form": StudentForm()})
    form = StudentForm(request.POST)
    if not form.is_valid():
        return render(request, "set.html", {"form": form}, status=422)
    request.session["sname"] = form.cleaned_data["name"]
    request.session["semail"] = form.cleaned_data["email"]
    return redirect("student_get")


@require_safe
def student_get(request):
    """Show both strings. Use get(): session[key] raises a KeyError if the entry is missing."""
    student = [(key, report.as_text(request.session.get(key))) for key in ("sname", "semail")]
    return render(request, "get.html", {"student": student, "kept": dict(student)})


@require_POST
def student_delete(request):
    """Delete the first string. Require POST, because opening a page must not change anything."""
    # Do not use del: a second press, or another tab, may already have deleted the entry.
    request.session.pop("sname", None)
    return redirect("student_get")


@require_http_methods(["GET", "HEAD", "POST"])
def api(request):
    if request.method != "POST":
        return render(request, "api.html", {"groups": GROUPS, "now": now(request)})
    operation = OPERATIONS.get(request.POST.get("operation"))
    if operation is None:
        page = {"groups": GROUPS, "now": now(request), "unknown": True}
        return render(request, "api.html", page, status=422)
    # Do not redirect: the page shows the effect of this request. To show the effect after a
    # redirect, the lab would have to store it, most simply in the session that it examines.
    return render(request, "api.html", {"groups": GROUPS} | report.press(request, operation))


def now(request):
    # Pass a list of pairs: with a dictionary, `goods.items` in a template may be an item.
    return [(key, repr(value)) for key, value in request.session.items()]
