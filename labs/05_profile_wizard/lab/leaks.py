"""An extra for the url carrier only: see what a URL with a key in it gives away."""

from django.shortcuts import render
from django.views.decorators.http import require_safe

# A page's Referrer-Policy decides what its links tell the next page, in the Referer header.
POLICIES = [
    ("same-origin", "Django's default"),
    ("", "none, so that the browser decides"),
    ("unsafe-url", "the whole URL, to every site"),
]
OTHER_SITE = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}  # this server's other name


@require_safe
def leaks(request):
    """Show links to this site and to another one, under a Referrer-Policy of your choice."""
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
    """Show the Referer header that came with this request."""
    return render(request, "referer.html", {"referer": request.headers.get("Referer")})
