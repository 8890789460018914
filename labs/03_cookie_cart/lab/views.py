from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lab import storage
from lab.forms import MAX_QUANTITY, AddForm


@require_safe
def index(request):
    cart = storage.load(request)
    return render(request, "index.html", {"count": len(cart), "notice": storage.notice(request)})


@require_http_methods(["GET", "HEAD", "POST"])
def add(request):
    if request.method != "POST":
        return render(request, "add.html", {"form": AddForm()})
    form = AddForm(request.POST)
    if form.is_valid():
        name, quantity = form.cleaned_data["name"], form.cleaned_data["quantity"]
        total = storage.load(request).get(name, 0) + quantity
        if total > MAX_QUANTITY:
            form.add_error("quantity", f"That would make {total}. The limit is {MAX_QUANTITY}.")
        elif refusal := storage.refusal(request, name, total):
            form.add_error(None, refusal)
        else:
            response = redirect("display")
            storage.put(request, response, name, total)
            return response
    return render(request, "add.html", {"form": form}, status=422)


@require_safe
def display(request):
    # Pass a list of pairs: with a dictionary, `goods.items` in a template may be an item.
    goods = list(storage.load(request).items())
    return render(request, "display.html", {"goods": goods, "notice": storage.notice(request)})


@require_POST
def remove(request):
    response = redirect("display")
    storage.remove(request, response, request.POST.get("name", ""))
    return response


@require_POST
def empty(request):
    response = redirect("display")
    storage.clear(request, response)
    return response


@require_safe
def info(request):
    return render(request, "info.html", {"facts": storage.describe(request)})
