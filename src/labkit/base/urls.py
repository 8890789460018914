"""URLs under /__lab__/, which every lab includes."""

from django.urls import path

from labkit.base.assets import asset
from labkit.render import PALETTE

app_name = "labkit"
urlpatterns = [
    path("static/palette.css", asset, {"path": PALETTE.name, "folder": PALETTE.parent}),
    path("static/<path:path>", asset, name="asset"),
]
