from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from lab import leaks, views
from lab.carriers import cookie, hidden, key_in_url, session
from labkit.base.error_pages import handler400, handler403, handler404, handler500  # noqa: F401

# A browser sends its cookies even with a request that another site caused, so a form needs a
# CSRF token. A hidden field or a key in the URL is known only to the visitor's own page, so another
# site cannot send a request that changes these answers. views.wizard itself stays protected.
wizard_without_csrf = csrf_exempt(views.wizard)

urlpatterns = [
    path("", views.index, name="index"),
    # Django passes the third argument to the view: here the module to use as its `carrier`.
    path("cookie/<step>/", views.wizard, {"carrier": cookie}, name="cookie"),
    path("session/<step>/", views.wizard, {"carrier": session}, name="session"),
    path("hidden/<step>/", wizard_without_csrf, {"carrier": hidden}, name="hidden"),
    path("key_in_url/leaks/", leaks.leaks, name="leaks"),
    path("key_in_url/<step>/", wizard_without_csrf, {"carrier": key_in_url}, name="key_in_url"),
    path("referer/", leaks.referer, name="referer"),
    path("__lab__/", include("labkit.base.urls")),
]
