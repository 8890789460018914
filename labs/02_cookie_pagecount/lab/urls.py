from django.urls import include, path

from lab import views
from labkit.base.error_pages import handler400, handler403, handler404, handler500  # noqa: F401

urlpatterns = [
    path("", views.index, name="index"),
    path("prefetch/", views.prefetch, name="prefetch"),
    path("forget/", views.forget, name="forget"),
    path("__lab__/", include("labkit.base.urls")),
]
