"""The page on limits: it sets cookies, and then shows which ones the browser sent back."""

from django.http.request import split_domain_port
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_safe

from lab.trials import HOST, LIFETIME, PATH, PREFIX, TRIALS, sent, size


@require_safe
def limits(request):
    """Show which cookies a trial's response set, and which ones the browser then sent."""
    host, port = split_domain_port(request.get_host())
    chosen = request.GET.get("trial") if host == HOST else None
    page = {"trials": TRIALS, "trial": chosen, "host": HOST}
    page["there"] = host in {HOST, "127.0.0.1", "localhost", "[::1]"}
    page["site"] = "" if host == HOST else f"//{HOST}:{port}".removesuffix(":")
    if chosen in TRIALS:
        page |= {"given": size(TRIALS[chosen]), "sent": size(sent(request))}
    return render(request, "limits.html", page)


@require_GET
def give(request):
    """Set the cookies of a trial. GET may do this, because nothing changes on the server."""
    trial = request.GET.get("trial")
    if trial not in TRIALS or split_domain_port(request.get_host())[0] != HOST:
        return redirect("limits")
    next_page = "take_away" if trial == "another-path" else "limits"
    response = redirect(reverse(next_page, query={"trial": trial}))
    for name in sent(request):  # of the last trial
        response.delete_cookie(name, PATH, samesite="Lax")
    for name, value in TRIALS[trial].items():
        response.set_cookie(name, value, LIFETIME, path=PATH, httponly=True, samesite="Lax")
    return response


@require_GET
def take_away(request):
    """Try to delete a cookie with a Path other than the one it was set with."""
    response = redirect(reverse("limits", query={"trial": "another-path"}))
    response.delete_cookie(PREFIX + "path", path="/", samesite="Lax")
    return response
