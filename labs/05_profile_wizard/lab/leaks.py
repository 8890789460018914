from django.shortcuts import render
from django.views.decorators.http import require_safe

# What the page before tells the next one in the Referer header is up to its own header.
POLICIES = [
    ("same-origin", "what Django sends unless told otherwise"),
    ("", "none, so that the browser decides"),
    ("unsafe-url", "the whole address, to everyone"),
]
OTHER_SITE = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}  # this server, by its other name


@require_safe
def leaks(request):
    """Say what an address gives away, and try it: links, under each policy."""
    host, _, port = request.get_host().partition(":")
    policy = request.GET.get("policy", "same-origin")
    page = {
        "w": request.GET.get("w", ""),
        "policy": policy,
        "policies": POLICIES,
        "other": f"{request.scheme}://{OTHER_SITE[host]}:{port}" if host in OTHER_SITE else "",
    }
    response = render(request, "leaks.html", page)
    if policy in dict(POLICIES):
        response["Referrer-Policy"] = policy
    return response


@require_safe
def referer(request):
    """Show what the page before told this one."""
    return render(request, "referer.html", {"referer": request.headers.get("Referer")})
