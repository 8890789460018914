"""URLs of the panel. Its middleware responds to them before any other middleware."""

from django.urls import path

from labkit.panel import views

urlpatterns = [
    path("__lab__/", views.exchanges),
    path("__lab__/exchanges.json", views.exchanges_json),
    path("__lab__/exchange/<token>/", views.exchange),
    path("__lab__/exchange/<token>/<name>/", views.control),
]
