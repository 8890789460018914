"""Pages with exercises and solutions, for the instructor and for students on the network."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from labkit.base.error_pages import error_page
from labkit.catalog import CatalogError
from labkit.console import supervisor
from labkit.console.diff_pages import show_catalog_errors
from labkit.diff import Comparison, compare, find_sides
from labkit.diff.html_page import page_diff
from labkit.panel import student_access
from labkit.panel.access import is_local_instructor
from labkit.practice.exercise import KINDS, Exercise, read_exercises
from labkit.practice.solution import compare_starter
from labkit.textbook_versions import Version, all_versions

NOT_RELEASED = "Your instructor has not released this solution yet."


def released() -> tuple[str, ...]:
    """Return the names of the exercises and versions whose solutions students may read."""
    return student_access.read_access(supervisor().checkout.state).solutions


def rows(exercises: tuple[Exercise, ...]) -> list[dict[str, Any]]:
    """Return these exercises in the form that exercise_list.html needs."""
    shown = released()
    return [
        {"exercise": each, "kind": KINDS[each.kind], "is_released": each.name in shown}
        for each in exercises
    ]


@require_safe
@show_catalog_errors
def class_index(request: HttpRequest) -> HttpResponse:
    """Show students the exercises, and the textbook versions whose solutions are released."""
    checkout = supervisor().checkout
    shown = released()
    context = {
        "exercises": rows(read_exercises(checkout)),
        "versions": [each for each in all_versions(checkout) if each.full_name in shown],
        "for_class": True,
    }
    return render(request, "class_practice.html", context)


@require_safe
@show_catalog_errors
def exercise(request: HttpRequest, name: str, for_class: bool = False) -> HttpResponse:
    """Show an exercise with its hints and, once its solution is released, the explanation."""
    found = _find(name)
    if not isinstance(found, Exercise):
        raise Http404(f"no exercise {name}")
    context = {
        "exercise": found,
        "kind": KINDS[found.kind],
        "is_released": name in released(),
        "solution": reverse("class_solution" if for_class else "solution", args=[name]),
        "can_release": bool(supervisor().class_url),
        "for_class": for_class,
        "here": "practice",
    }
    return render(request, "exercise.html", context)


@require_safe
@show_catalog_errors
def solution(request: HttpRequest, name: str, for_class: bool = False) -> HttpResponse:
    """Show the differences between a starter and its solution, and the reasons.

    Students can see this page once the solution is released.
    """
    found = _find(name)
    if name not in released() and not is_local_instructor(request):
        return error_page(request, 403, "Not released yet", NOT_RELEASED)
    context = {
        "diff": page_diff(_comparison(found)),
        "title": found.title,
        "explanation": found.why if isinstance(found, Version) else found.explanation,
        "sources": found.sources,
        "name": name,
        "is_exercise": isinstance(found, Exercise),
        "for_class": for_class,
        "here": "practice",
    }
    return render(request, "solution.html", context)


def _find(name: str) -> Exercise | Version:
    """Return the exercise or textbook version with this name. Raises Http404 if there is none."""
    checkout = supervisor().checkout
    for each in read_exercises(checkout):
        if each.name == name:
            return each
    for version in all_versions(checkout):
        if version.full_name == name:
            return version
    raise Http404(f"no exercise and no textbook version {name}")


def _comparison(found: Exercise | Version) -> Comparison:
    checkout = supervisor().checkout
    if isinstance(found, Exercise):
        try:
            return compare_starter(checkout, found)
        except OSError as error:
            raise CatalogError(f"The solution cannot be read: {error}.") from None
    return compare(checkout, *find_sides(checkout, found.full_name, found.lab.number))
