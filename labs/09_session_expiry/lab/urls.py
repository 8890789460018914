from django.urls import include, path

from lab import views
from labkit.base.error_pages import handler400, handler403, handler404, handler500  # noqa: F401

urlpatterns = [
    path("", views.index, name="index"),
    path("policy/", views.policy, name="policy"),
    path("touch/", views.touch, name="touch"),
    path("read/", views.read, name="read"),
    path("rows/", views.rows, name="rows"),
    path("clear-expired/", views.clear_expired, name="clear_expired"),
    path("__lab__/", include("labkit.base.urls")),
]
