from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from lab.forms import QUESTIONS, STEPS, WizardForm, check_answers
from lab.pages import show_page


@require_safe
def index(request):
    return render(request, "index.html")


@require_http_methods(["GET", "HEAD", "POST"])
def wizard(request, carrier, step):
    """Store one answer, or show one step. `carrier` is a module: see carriers/__init__.py."""
    if step not in STEPS:
        raise Http404
    if "forget" in request.POST:
        return start_again(request, carrier)
    answers, notice = check_answers(carrier.load(request))
    # The button "Change" also sends a POST request, because a link would lose the hidden field.
    if request.method == "POST" and "change" not in request.POST and step in QUESTIONS:
        return save_answer(request, carrier, step, answers, notice)
    return show_page(request, carrier, step, answers, notice)


def start_again(request, carrier):
    route = request.resolver_match.url_name  # the name in urls.py, such as "cookie"
    response = redirect(route, STEPS[0])
    carrier.forget(request, response)
    return response


def save_answer(request, carrier, step, answers, notice):
    """Add the answer in this request to the others, and lead to the next step."""
    form = WizardForm(request.POST)
    # form.is_valid() would be False, since the other two answers are not in this request.
    if step in form.errors:
        return show_page(request, carrier, step, answers, notice, invalid_form=form)
    # Store a valid answer even if an earlier question has not been answered yet.
    answers[step] = str(form.cleaned_data[step])
    next_step = STEPS[STEPS.index(step) + 1]
    # The response comes first, since save() sets cookies on it or adds the key to its URL. A page
    # that contains the answers is not a redirect, and save() has nothing to do.
    if carrier.REDIRECTS:
        response = redirect(request.resolver_match.url_name, next_step)
    else:
        response = show_page(request, carrier, next_step, answers, notice)
    carrier.save(request, response, answers, next_step)
    return response
