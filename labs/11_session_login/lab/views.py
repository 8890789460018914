from django.contrib.auth.views import LoginView
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lab import storage
from lab.forms import MAX_QUANTITY, AddForm
from lab.models import DEMO


@require_safe
def index(request):
    return overview(request, AddForm())


@require_POST
def add(request):
    form = AddForm(request.POST)
    if form.is_valid():
        name, quantity = form.cleaned_data["name"], form.cleaned_data["quantity"]
        total = storage.load(request).get(name, 0) + quantity
        if total > MAX_QUANTITY:
            form.add_error("quantity", f"That would make {total}. The limit is {MAX_QUANTITY}.")
        elif refusal := storage.refusal(request, name, total):
            form.add_error(None, refusal)
        else:
            response = redirect("index")
            storage.put(request, response, name, total)
            return response
    return overview(request, form, status=422)


def overview(request, form, status=200):
    context = {
        "user": request.user,
        "key": storage.key(request),
        "row": storage.row(request),
        "login_entries": storage.login_entries(request),
        # Pass a list of pairs: with a dictionary, `goods.items` in a template may be an item.
        "goods": list(storage.load(request).items()),
        "notice": storage.notice(request),
        "form": form,
    }
    return render(request, "index.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def login(request):
    # Django's LoginView does the work. This page adds the demo user and the current session key.
    context = {"demo": DEMO, "key": storage.key(request)}
    return LoginView.as_view(template_name="login.html", extra_context=context)(request)
