from django.conf import settings
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def index(request):
    """Set the test cookie on GET. A HEAD request must not change anything."""
    if request.method == "GET":
        request.session.set_test_cookie()
    # This is too early: it reads the entry that the line above has just added.
    asked_at_once = request.session.test_cookie_worked()
    return render(
        request,
        "index.html",
        {"asked_at_once": asked_at_once, "cookie": settings.SESSION_COOKIE_NAME},
    )


@require_safe
def check(request):
    """Check for the test cookie, and delete it."""
    worked = request.session.test_cookie_worked()
    # Deleting a missing entry would raise a KeyError.
    if worked and request.method == "GET":
        request.session.delete_test_cookie()
    cookie = settings.SESSION_COOKIE_NAME
    sent = cookie in request.COOKIES
    return render(request, "check.html", {"worked": worked, "cookie": cookie, "sent": sent})


@require_safe
def visits(request):
    """Count the visits in the session. Without the session cookie, every visit is the first."""
    stored = request.session.get("visits")
    count = (stored if type(stored) is int else 0) + (request.method == "GET")
    if request.method == "GET":
        request.session["visits"] = count
    page = {"count": count, "url": request.build_absolute_uri()}
    return render(request, "visits.html", page | {"cookie": settings.SESSION_COOKIE_NAME})
