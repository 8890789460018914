from django.urls import include, path

from lab import pages, race, views
from labkit.base.error_pages import handler400, handler403, handler404, handler500  # noqa: F401

urlpatterns = [
    path("", pages.index, name="index"),
    path("naive/", pages.way_page, {"way": "naive"}, name="naive"),
    path("naive/add/", views.add_naive, name="add_naive"),
    path("naive/race/", race.start_race, {"way": "naive"}, name="race_naive"),
    path("locked/", pages.way_page, {"way": "locked"}, name="locked"),
    path("locked/add/", views.add_locked, name="add_locked"),
    path("locked/race/", race.start_race, {"way": "locked"}, name="race_locked"),
    path("empty/", views.empty, name="empty"),
    path("cart/", views.cart, name="cart"),
    path("__lab__/", include("labkit.base.urls")),
]
