from django.urls import include, path

from lab import views
from labkit.base.error_pages import handler400, handler403, handler404, handler500  # noqa: F401

urlpatterns = [
    path("", views.index, name="index"),
    path("student/set/", views.student_set, name="student_set"),
    path("student/get/", views.student_get, name="student_get"),
    path("student/delete/", views.student_delete, name="student_delete"),
    path("api/", views.api, name="api"),
    path("__lab__/", include("labkit.base.urls")),
]
