from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from lab.forms import FIRST, FORMS, STEPS, checked, label, not_past_a_gap


@require_safe
def index(request):
    return render(request, "index.html")


@require_http_methods(["GET", "HEAD", "POST"])
def wizard(request, carrier, step):
    """Take or show one step of the wizard, and never go past an answer that is missing."""
    if step not in STEPS:
        raise Http404
    if "forget" in request.POST:
        response = redirect(request.resolver_match.url_name, "name")
        carrier.forget(request, response)
        return response
    answers, notice = checked(carrier.load(request))
    form, kept = None, {}
    if request.method == "POST" and step in FORMS and "change" not in request.POST:
        form = FORMS[step](request.POST)
        if form.is_valid():
            answers[step] = str(form.cleaned_data[step])
            step, kept = STEPS[STEPS.index(step) + 1], answers
    following = not_past_a_gap(step, answers)
    skipped = following != step
    if kept or skipped:
        form = None
        if response := carrier.lead_to(request, following, kept):
            if skipped:  # the sentence that says so has to come along as well
                response["Location"] += "&first" if "?" in response["Location"] else "?first"
            return response
    if skipped or "first" in request.GET:
        notice = notice or FIRST
    return show(request, carrier, following, answers, notice, form)


def show(request, carrier, step, answers, notice, form):
    """Show one step, with whatever this carrier has to put into its form and its addresses."""
    given = [field for field in FORMS if field in answers]
    page = {
        "answers": [(label(f), answers[f], carrier.address(request, f)) for f in given],
        "address": carrier.address(request, step),
        "carried": carrier.form_fields(request, answers),
        "about": carrier.__doc__,
        "notice": notice,
        "by": request.resolver_match.url_name,
    }
    if step == "results":
        return render(request, "results.html", page | {"query": request.GET.urlencode()})
    page |= {"number": STEPS.index(step) + 1, "form": form or FORMS[step](initial=answers)}
    return render(request, "step.html", page, status=422 if form else 200)
