"""The page Practice, which starts, shows and compares textbook versions of the labs."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from labkit.base.error_pages import error_page
from labkit.catalog import CatalogError
from labkit.console import supervisor, version_servers
from labkit.console.diff_pages import show_catalog_errors
from labkit.console.exercise_pages import released, rows
from labkit.practice.exercise import read_exercises
from labkit.textbook_versions import Version, find_version, read_versions


@require_safe
@show_catalog_errors
def index(request: HttpRequest) -> HttpResponse:
    """List exercises and the textbook versions of each lab; ?lab=03 shows those of one lab."""
    checkout = supervisor().checkout
    sections = [(lab, read_versions(checkout, lab)) for lab in checkout.labs]
    sections = [(lab, versions) for lab, versions in sections if versions]
    chosen = next((lab for lab, _ in sections if lab.number == request.GET.get("lab")), None)
    exercises = tuple(
        each for each in read_exercises(checkout) if chosen in {None, each.lab, each.target}
    )
    context = {
        "exercises": rows(exercises),
        "labs": [lab for lab, _ in sections],
        "chosen": chosen,
        "sections": [
            (lab, [_with_server(version) for version in versions])
            for lab, versions in sections
            if chosen in {None, lab}
        ],
        "started": version_servers().all,
        "here": "practice",
    }
    return render(request, "practice.html", context)


@require_safe
@show_catalog_errors
def version(request: HttpRequest, name: str) -> HttpResponse:
    """Show a textbook version: its steps, what happens and why, and its buttons."""
    found = _find(name)
    steps: list[tuple[str, list[str]]] = []
    for step in found.see:
        if step.is_action:
            steps.append((str(step), []))
        else:
            steps[-1][1].append(str(step))
    context = _with_server(found) | {"steps": steps, "here": "practice", "page": "version"}
    context |= {"is_released": name in released(), "can_release": bool(supervisor().class_url)}
    return render(request, "version.html", context)


@require_POST
def start(request: HttpRequest, name: str) -> HttpResponse:
    """Start a textbook version, and redirect to the page with the button."""
    try:
        version_servers().start(_find(name))
    except (CatalogError, OSError) as error:
        return error_page(request, 409, "The version was not started", str(error))
    return _back(request, name)


@require_POST
def stop(request: HttpRequest, name: str) -> HttpResponse:
    """Stop a textbook version, and redirect to the page with the button."""
    version_servers().stop(_find(name).full_name)
    return _back(request, name)


def _back(request: HttpRequest, name: str) -> HttpResponse:
    if request.POST.get("page") == "version":
        return redirect("version", name)
    lab = request.POST.get("lab", "")
    query = f"?lab={lab}" if lab.isdigit() else ""
    return redirect(f"{reverse('practice')}{query}#{_anchor(name)}")


def _find(name: str) -> Version:
    """Return the version with this name. Raises Http404 if there is none."""
    try:
        return find_version(supervisor().checkout, name)
    except CatalogError:
        raise Http404(f"no textbook version {name}") from None


def _with_server(version: Version) -> dict[str, Any]:
    """Return the context that a version's templates need, with its process if it was started."""
    server = version_servers().find(version.full_name)
    return {
        "version": version,
        "process": server.process if server else None,
        "anchor": _anchor(version.full_name),
    }


def _anchor(name: str) -> str:
    return f"version-{name.replace(':', '-')}"
