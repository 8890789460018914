"""The console's URLs: "/" and the exercises are for the class, the rest for the instructor."""

from django.urls import path

from labkit.base.assets import asset
from labkit.base.error_pages import handler400, handler403, handler404, handler500  # noqa: F401
from labkit.console import (
    class_pages,
    compare_pages,
    cookie_expiry,
    cookie_page,
    diff_pages,
    exercise_pages,
    lab_actions,
    measure_pages,
    practice_pages,
    views,
)

urlpatterns = [
    path("", views.root, name="root"),
    path("practice/", exercise_pages.class_index, name="class_practice"),
    path(
        "practice/<str:name>/",
        exercise_pages.exercise,
        {"for_class": True},
        name="class_exercise",
    ),
    path(
        "practice/<str:name>/solution/",
        exercise_pages.solution,
        {"for_class": True},
        name="class_solution",
    ),
    path("console/", views.index, name="index"),
    path("console/reset/", lab_actions.reset, name="reset"),
    path("console/reset/<str:token>/", cookie_expiry.expire_cookies, name="expire_cookies"),
    path("console/restart/", lab_actions.restart, name="restart"),
    path("console/live/", views.live, name="live"),
    path("console/claims/", views.claims, name="claims"),
    path("console/cookie/", cookie_page.cookie, name="cookie"),
    path("console/diff/", diff_pages.index, name="differences"),
    path("console/diff/<str:one>/<str:two>/", diff_pages.difference, name="difference"),
    path("console/compare/", compare_pages.index, name="comparisons"),
    path("console/compare/<str:name>/", compare_pages.comparison, name="comparison"),
    path("console/compare/<str:name>/ask/", compare_pages.start_run, name="start_run"),
    path("console/compare/<str:name>/question/<str:id_>/", compare_pages.question, name="question"),
    path("console/measured/<str:place>/<str:name>", measure_pages.file, name="measured"),
    path("console/practice/", practice_pages.index, name="practice"),
    path("console/practice/version/<str:name>/", practice_pages.version, name="version"),
    path("console/practice/version/<str:name>/start/", practice_pages.start, name="start_version"),
    path("console/practice/version/<str:name>/stop/", practice_pages.stop, name="stop_version"),
    path("console/practice/exercise/<str:name>/", exercise_pages.exercise, name="exercise"),
    path("console/practice/solution/<str:name>/", exercise_pages.solution, name="solution"),
    path("console/class/", class_pages.class_, name="class"),
    path("console/class/answers/", class_pages.answers, name="answers"),
    path("console/class/code/", class_pages.code_access, name="code_access"),
    path("console/class/release/<str:name>/", class_pages.release, name="release"),
    path("console/docs/<slug:name>/", views.document, name="document"),
    path("console/lab/<str:number>/", views.handout, name="handout"),
    path("console/lab/<str:number>/code/", views.code, name="code"),
    path("console/lab/<str:number>/log/", views.log, name="log"),
    path("__lab__/static/<path:path>", asset, name="asset"),
    path("console/static/<path:path>", views.own_asset, name="own_asset"),
]
