"""The page on limits: a response sets cookies, and the next request shows which ones came back."""

from django.http.request import split_domain_port
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_safe

from lab.trials import HOST, LIFETIME, PATH, PREFIX, TRIALS, sent, size


@require_safe
def limits(request):
    """Show what the browser sent after a trial, beside what the response set."""
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
    """Give the browser the cookies of a trial. GET is enough: nothing changes on the server."""
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
    """Delete a cookie with another Path than it was set with."""
    response = redirect(reverse("limits", query={"trial": "another-path"}))
    response.delete_cookie(PREFIX + "path", path="/", samesite="Lax")
    return response
