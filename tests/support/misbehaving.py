"""Pages that do what no page should."""

from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import DatabaseError, OperationalError, ProgrammingError
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template import engines
from django.urls import include, path
from django.views.decorators.http import require_POST

from labkit.base.error_pages import handler400, handler403, handler404, handler500  # noqa: F401

FORM = """
<form method="post" action="/other/">{% csrf_token %}<button name="b" value="x">no</button></form>
<form method="post">{% csrf_token %}<input name="a"><input type="hidden" name="h" value="1">
<button name="b" value="1">one</button><button name="b" value="2">two</button></form>
<form action="/echo/"><input name="q"></form>
"""


def text(request):
    return HttpResponse("fine")


def echo(request):
    return HttpResponse(request.META.get("HTTP_COOKIE", ""))


def set_cookie(request):
    """Answer with the Set-Cookie that the query asks for, as it is."""
    response = HttpResponse("set")
    response.headers["Set-Cookie"] = request.GET["line"]
    return response


def cookie(request):
    response = HttpResponse("set")
    response.set_cookie(request.GET["name"], request.GET["value"])
    return response


def form(request):
    if request.method == "POST":
        return HttpResponse(str(sorted(request.POST.dict().items())))
    return HttpResponse(engines["django"].from_string(FORM).render({}, request))


def crash(request):
    raise RuntimeError("on purpose")


def traceback(request):
    return HttpResponse("<pre>Traceback (most recent call last):</pre>")


def header(request):
    response = HttpResponse("header")
    response.headers["X-Name"] = "fine"
    response.headers._store["x-name"] = ("X-Name", "अनु")  # what Django itself would encode
    return response


def session(request):
    """Put what the query names into the session, show what is in it."""
    request.session.update(request.GET.dict())
    return HttpResponse(str(sorted(request.session.items())))


def secure(request):
    response = HttpResponse(str(request.is_secure()))
    response.set_cookie("__Host-a", "1", secure=True)
    return response


def unreadable(request, how):
    """Pages that no parser of HTML can make sense of."""
    return {
        "xml": HttpResponse('<?xml version="1.0" encoding="utf-8"?><p>x</p>'),
        "blank": HttpResponse(" "),
        "charset": HttpResponse(b"x", content_type="text/html; charset=nonsense"),
    }[how]


def redirect(request):
    response = HttpResponseRedirect("/echo/")
    response.set_cookie("from", "redirect")
    return response


def refuse(request, why):
    reasons = {
        "denied": PermissionDenied(),
        "bad": BadRequest(),
        "deleted": SessionInterrupted("deleted"),
        "absent": OperationalError(2002, "Can't connect"),
        "no-table": OperationalError("no such table: django_session"),
        "no-table-in-mariadb": ProgrammingError(1146, "Table 'x.django_session' doesn't exist"),
    }
    raise reasons[why]


def masked(request):
    """What Django makes of a database that fails while the session is saved."""
    try:
        raise OperationalError("database is locked")
    except DatabaseError as error:
        raise SessionInterrupted("The request's session was deleted") from error


@require_POST
def only_post(request):
    return render(request, "nowhere.html")


urlpatterns = [
    path("", text, name="index"),
    path("add/", text, name="add"),
    path("display/", text, name="display"),
    path("info/", text, name="info"),
    path("echo/", echo),
    path("a/echo/", echo),
    path("set-cookie/", set_cookie),
    path("cookie/", cookie),
    path("form/", form),
    path("crash/", crash),
    path("traceback/", traceback),
    path("header/", header),
    path("redirect/", redirect),
    path("session/", session),
    path("secure/", secure),
    path("unreadable/<how>/", unreadable),
    path("refuse/<why>/", refuse),
    path("masked/", masked),
    path("only-post/", only_post),
    path("__lab__/", include("labkit.base.urls")),
]
