"""Pages that misbehave on purpose."""

from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import DatabaseError, OperationalError, ProgrammingError
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template import engines
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from django.views.generic import RedirectView

from labkit.base.error_pages import handler400, handler403, handler404, handler500  # noqa: F401

FORM = """
<form method="post" action="/other/">{% csrf_token %}<button name="b" value="x">no</button></form>
<form method="post">{% csrf_token %}<input name="a"><input type="hidden" name="h" value="1">
<button name="b" value="1">one</button><button name="b" value="2">two</button></form>
<form action="/echo/"><input name="q"></form>
"""


UPLOAD = """
<form method="post" action="/received/" enctype="{enctype}">{{% csrf_token %}}
<input name="empty"><input type="checkbox" name="agreed">
<input type="checkbox" name="kept" checked>
<select name="many" multiple><option selected>a</option><option>b</option>
<option selected>c</option></select>
<select name="one"><option value="1">x</option><option value="2">y</option></select>
<textarea name="note">
first
second</textarea><input type="radio" name="size" value="s"><input type="radio" name="size" value="l"
checked><fieldset disabled><input name="off" value="1"></fieldset><input type="file" name="file">
<button name="go" value="1">Go</button><button formaction="/a/echo/" formmethod="get">Look</button>
<button type="button">Idle</button></form><button form="nowhere">Lost</button>
"""


def text(request):
    return HttpResponse("fine")


@csrf_exempt
def received(request, status=200):
    """Show the received request as JSON, or redirect to a page that does."""
    body = request.body.decode("latin-1")
    names = ("HTTP_ORIGIN", "HTTP_HOST", "HTTP_X_NAME", "CONTENT_TYPE", "wsgi.url_scheme")
    files = {name: [each.name, each.read().decode()] for name, each in request.FILES.items()}
    seen = {
        "method": request.method,
        "path": request.path,
        "get": dict(request.GET.lists()),
        "post": dict(request.POST.lists()),
        "files": files,
        "body": body,
        "meta": {name: request.META[name] for name in names if name in request.META},
        "host": request.get_host(),
    }
    if status == 200:
        return JsonResponse(seen)
    return HttpResponse(status=status, headers={"Location": request.GET.get("to", "/received/")})


def upload(request):
    """A form with every kind of field."""
    form = UPLOAD.format(enctype=request.GET.get("enctype", ""))
    return HttpResponse(engines["django"].from_string(form).render({}, request))


def checked(request):
    """A view that needs a CSRF token for all methods."""
    get_token(request)
    return HttpResponse(request.method)


def echo(request):
    return HttpResponse(request.META.get("HTTP_COOKIE", ""))


def set_cookie(request):
    """Respond with the Set-Cookie header that the query contains, unchanged."""
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
    response.headers._store["x-name"] = ("X-Name", "अनु")  # Django would encode this
    return response


def session(request):
    """Store the query's entries in the session, and show all entries."""
    request.session.update(request.GET.dict())
    return HttpResponse(str(sorted(request.session.items())))


def secure(request):
    response = HttpResponse(str(request.is_secure()))
    response.set_cookie("__Host-a", "1", secure=True)
    return response


def unreadable(request, how):
    """Pages that an HTML parser cannot parse."""
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
    """Respond as Django does if the database fails while the session is saved."""
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
    path("received/", received),
    path("received/<int:status>/", received),
    path("upload/", upload),
    path("checked/", checked),
    path("echo/", echo),
    path("a/echo/", echo),
    path("set-cookie/", set_cookie),
    path("cookie/", cookie),
    path("form/", form),
    path("crash/", crash),
    path("traceback/", traceback),
    path("header/", header),
    path("redirect/", redirect),
    path("circle/", RedirectView.as_view(url="/circle/")),
    path("session/", session),
    path("secure/", secure),
    path("unreadable/<how>/", unreadable),
    path("refuse/<why>/", refuse),
    path("masked/", masked),
    path("only-post/", only_post),
    path("__lab__/", include("labkit.base.urls")),
]
