from django.urls import include, path

from lab import pages, views
from labkit.base.error_pages import handler400, handler403, handler404, handler500  # noqa: F401

urlpatterns = [
    path("", views.index, name="index"),
    path("add/", views.add, name="add"),
    path("display/", views.display, name="display"),
    path("remove/", views.remove, name="remove"),
    path("empty/", views.empty, name="empty"),
    path("info/", views.info, name="info"),
    path("store/", pages.store_page, name="store"),
    path("engines/", pages.engines_page, name="engines"),
    path("__lab__/", include("labkit.base.urls")),
]
