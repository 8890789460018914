"""The pages of the wizard: one for each question, and one with the results."""

from django.shortcuts import redirect, render
from django.urls import reverse

from lab.forms import ANSWER_FIRST, QUESTIONS, STEPS, WizardForm, label


def show_page(request, carrier, step, answers, notice, invalid_form=None):
    """Show a step, or the first earlier question that has no answer."""
    carrier_name = request.resolver_match.url_name  # the name of the route in urls.py
    missing = [question for question in STEPS[: STEPS.index(step)] if question not in answers]
    if missing and not carrier.REDIRECTS:  # ask the first of them here
        return show_page(request, carrier, missing[0], answers, notice or ANSWER_FIRST)
    if missing:
        url = reverse(carrier_name, args=[missing[0]], query={"answer_first": 1})
        # For key_in_url, the query contains the key. Encoded again, a long query would be too long.
        query = request.META["QUERY_STRING"]
        return redirect(f"{url}&{query}" if query else url)
    if "answer_first" in request.GET:  # after the redirect above
        notice = notice or ANSWER_FIRST
    context = {
        "carrier_name": carrier_name,
        "notice": notice,
        "step": step,
        "hidden_fields": carrier.hidden_fields(request, answers),
        "answers": [(f, label(f), answers[f]) for f in QUESTIONS if f in answers],
    }
    if step == "results":
        return render(request, "results.html", context)
    form = invalid_form or WizardForm(initial=answers)
    context |= {"number": STEPS.index(step) + 1, "field": form[step]}
    return render(request, "question.html", context, status=422 if invalid_form else 200)
