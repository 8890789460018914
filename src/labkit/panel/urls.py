"""Addresses of the panel. The middleware answers them before any other middleware."""

from django.urls import path

from labkit.panel import views

urlpatterns = [
    path("__lab__/", views.exchanges),
    path("__lab__/exchanges.json", views.as_json),
    path("__lab__/exchange/<token>/", views.exchange),
    path("__lab__/exchange/<token>/<what>/", views.control),
]
