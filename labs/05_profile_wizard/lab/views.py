from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from lab import forms


@require_safe
def index(request):
    return render(request, "index.html")


@require_http_methods(["GET", "HEAD", "POST"])
def wizard(request, carrier, step):
    """Take one answer or show one step. The carrier is a module: see carriers/__init__.py."""
    if step not in forms.STEPS:
        raise Http404
    if "forget" in request.POST:
        response = redirect(request.resolver_match.url_name, forms.STEPS[0])
        carrier.forget(request, response)
        return response
    answers, notice = forms.check_answers(carrier.load(request))
    # "Change" is a POST, because a link would lose the hidden field.
    answered = request.method == "POST" and step in forms.QUESTIONS and "change" not in request.POST
    form = forms.WizardForm(request.POST) if answered else None
    if answered and step not in form.errors:  # A valid answer: store it and go on.
        answers[step] = str(form.cleaned_data[step])
        return go_on(request, carrier, forms.next_step(step), answers, notice, to_store=answers)
    if forms.first_open_step(step, answers) != step:  # An earlier question is still open: go there.
        return go_on(request, carrier, step, answers, notice, to_store={})
    first = forms.ANSWER_FIRST if "first" in request.GET else None
    return show(request, carrier, step, answers, notice or first, invalid_form=form)


def go_on(request, carrier, step, answers, notice, to_store):
    """Store these answers, if any, and go on to this step, or to an earlier open question."""
    open_step = forms.first_open_step(step, answers)
    query = {"first": 1} if open_step != step else {}  # the next page has to explain the detour
    response = carrier.lead_to(request, open_step, to_store, **query)
    first = forms.ANSWER_FIRST if query else None
    # None: the hidden carrier cannot redirect, since a redirect would lose the form.
    return response or show(request, carrier, open_step, answers, notice or first)


def show(request, carrier, step, answers, notice, invalid_form=None):
    """Show one step, with the hidden fields and the URLs that this carrier needs."""
    given = [field for field in forms.QUESTIONS if field in answers]
    page = {
        "answers": [(forms.label(f), answers[f], carrier.step_url(request, f)) for f in given],
        "step_url": carrier.step_url(request, step),
        "hidden_fields": carrier.form_fields(request, answers),
        "notice": notice,
        "carrier_name": request.resolver_match.url_name,
    }
    if step == "results":
        return render(request, "results.html", page | {"query": request.GET.urlencode()})
    form = invalid_form or forms.WizardForm(initial=answers)
    page |= {"number": forms.STEPS.index(step) + 1, "field": form[step]}
    return render(request, "step.html", page, status=422 if invalid_form else 200)
