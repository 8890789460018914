from django.contrib.auth.views import LogoutView
from django.urls import include, path

from lab import views
from labkit.base.error_pages import handler400, handler403, handler404, handler500  # noqa: F401

urlpatterns = [
    path("", views.index, name="index"),
    path("add/", views.add, name="add"),
    path("login/", views.login, name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),  # by POST only
    path("__lab__/", include("labkit.base.urls")),
]
