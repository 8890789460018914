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
    """Show both strings. get(), since session[key] is a KeyError where nothing is kept."""
    student = [(key, report.as_text(request.session.get(key))) for key in ("sname", "semail")]
    return render(request, "get.html", {"student": student, "kept": dict(student)})


@require_POST
def student_delete(request):
    """Take out the first string. By POST: a page that is only looked at must change nothing."""
    # Not del: a second press, or a second tab, finds no entry any more.
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
    # No redirect here: the effect of this very exchange is what the page shows, and to carry it
    # over to another one would take a place to keep it, such as the session that is looked at.
    return render(request, "api.html", {"groups": GROUPS} | report.press(request, operation))


def now(request):
    # A list of pairs: a template looks a name up in a dictionary before it tries .items.
    return [(key, repr(value)) for key, value in request.session.items()]
