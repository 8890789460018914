"""URLs under /__lab__/, which every lab includes."""

from django.urls import path

from labkit.base.assets import asset

app_name = "labkit"
urlpatterns = [path("static/<path:path>", asset, name="asset")]
