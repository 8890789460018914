from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from lab import leaks, views
from lab.carriers import cookie, hidden, session, url
from labkit.base.errors import handler400, handler403, handler404, handler500  # noqa: F401

# A browser sends its cookies with any request, also with one that another site has caused: where
# they speak for the visitor, the form must prove that it is ours. A hidden field and an address
# come from a page of ours or not at all: they carry their own authority, and work without cookies.
without_cookies = csrf_exempt(views.wizard)

urlpatterns = [
    path("", views.index, name="index"),
    path("cookie/<step>/", views.wizard, {"carrier": cookie}, name="cookie"),
    path("session/<step>/", views.wizard, {"carrier": session}, name="session"),
    path("hidden/<step>/", without_cookies, {"carrier": hidden}, name="hidden"),
    path("url/leaks/", leaks.leaks, name="leaks"),
    path("url/<step>/", without_cookies, {"carrier": url}, name="url"),
    path("referer/", leaks.referer, name="referer"),
    path("__lab__/", include("labkit.base.urls")),
]
