from django.urls import include, path

from lab import views
from labkit.base.error_pages import handler400, handler403, handler404, handler500  # noqa: F401

urlpatterns = [
    path("", views.index, name="index"),
    path("check/", views.check, name="check"),
    path("visits/", views.visits, name="visits"),
    path("__lab__/", include("labkit.base.urls")),
]
