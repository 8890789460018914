"""Extra pages for the carrier key_in_url, which show how a URL leaks the key that it contains."""

from django.shortcuts import render
from django.views.decorators.http import require_safe

# A page's Referrer-Policy decides how much its links send to the next page, in the Referer header.
POLICIES = {
    "same-origin": "Django's default",
    "": "none: the browser decides",
    "unsafe-url": "the whole URL, to every site",
}
# This server has two names, and for a browser they are two sites.
OTHER_NAME = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}


@require_safe
def leaks(request):
    """Show a link to this site and one to another, with the Referrer-Policy that was chosen."""
    policy = request.GET.get("policy")
    if policy not in POLICIES:
        policy = "same-origin"
    host, _, port = request.get_host().partition(":")
    other = f"{request.scheme}://{OTHER_NAME[host]}:{port}" if host in OTHER_NAME else None
    context = {"policy": policy, "policies": POLICIES, "other": other}
    response = render(request, "leaks.html", context)
    response["Referrer-Policy"] = policy  # set this header even to "", or Django adds its default
    return response


@require_safe
def referer(request):
    """Show the Referer header that came with this request."""
    return render(request, "referer.html", {"referer": request.headers.get("Referer")})
