"""The panel's URLs, which its middleware handles before other middleware runs."""

from django.urls import path

from labkit.panel import control_views, reading_pages, views
from labkit.panel.visit import record_views
from labkit.panel.visit import views as visit_views

urlpatterns = [
    path("__lab__/", views.exchanges),
    path("__lab__/handout/", reading_pages.handout),
    path("__lab__/code/", reading_pages.code),
    path("__lab__/labs/", reading_pages.all_labs),
    path("__lab__/reset/", control_views.reset),
    path("__lab__/own-cookies.json", control_views.own_cookies_json),
    path("__lab__/exchanges.json", views.exchanges_json),
    path("__lab__/visit/", visit_views.visit),
    path("__lab__/visit/record/", record_views.record),
    path("__lab__/visit/record.txt", record_views.record_text),
    path("__lab__/exchange/<token>/", views.exchange),
    path("__lab__/exchange/<token>/<name>/", control_views.control),
]
