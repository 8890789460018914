from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from lab.forms import ANSWER_FIRST, FORMS, STEPS, check_answers, first_open_step, label


@require_safe
def index(request):
    return render(request, "index.html")


@require_http_methods(["GET", "HEAD", "POST"])
def wizard(request, carrier, step):
    """Take one answer or show one step, but never skip a question that has no answer."""
    if step not in STEPS:
        raise Http404
    if "forget" in request.POST:
        response = redirect(request.resolver_match.url_name, "name")
        carrier.forget(request, response)
        return response
    answers, notice = check_answers(carrier.load(request))
    form = None
    if request.method == "POST" and step in FORMS and "change" not in request.POST:
        form = FORMS[step](request.POST)
        if form.is_valid():
            answers[step] = str(form.cleaned_data[step])
            next_step = STEPS[STEPS.index(step) + 1]
            return go_on(request, carrier, next_step, answers, notice, new=answers)
    if first_open_step(step, answers) != step:
        return go_on(request, carrier, step, answers, notice, new={})
    if "first" in request.GET:
        notice = notice or ANSWER_FIRST
    return show(request, carrier, step, answers, notice, form)


def go_on(request, carrier, step, answers, notice, new):
    """Store the new answers and go on to this step, or to an earlier one without an answer."""
    open_step = first_open_step(step, answers)
    query = {"first": 1} if open_step != step else {}  # the next page has to explain the detour
    if response := carrier.lead_to(request, open_step, new, **query):
        return response
    return show(request, carrier, open_step, answers, notice or (ANSWER_FIRST if query else None))


def show(request, carrier, step, answers, notice, form=None):
    """Show one step, with the hidden fields and the URLs that this carrier needs."""
    given = [field for field in FORMS if field in answers]
    page = {
        "answers": [(label(f), answers[f], carrier.address(request, f)) for f in given],
        "address": carrier.address(request, step),
        "hidden_fields": carrier.form_fields(request, answers),
        "notice": notice,
        "carrier": request.resolver_match.url_name,
    }
    if step == "results":
        return render(request, "results.html", page | {"query": request.GET.urlencode()})
    page |= {"number": STEPS.index(step) + 1, "form": form or FORMS[step](initial=answers)}
    return render(request, "step.html", page, status=422 if form else 200)
