from django.urls import include, path

from lab import limits, views
from labkit.base.error_pages import handler400, handler403, handler404, handler500  # noqa: F401

urlpatterns = [
    path("", views.index, name="index"),
    path("greet/", views.greet, name="greet"),
    path("result/", views.result, name="result"),
    path("forget/", views.forget, name="forget"),
    path("limits/", limits.limits, name="limits"),
    path("limits/give/", limits.give, name="give"),
    path("limits/take-away/", limits.take_away, name="take_away"),
    path("__lab__/", include("labkit.base.urls")),
]
