"""URLs under /__lab__/, which every lab includes."""

from django.urls import path

from labkit.base import views

app_name = "labkit"
urlpatterns = [path("static/<path:path>", views.asset, name="asset")]
