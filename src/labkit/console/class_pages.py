"""The page Class, with the URL for students and the switches for what they may read."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_POST, require_safe

from labkit.console import supervisor
from labkit.panel import student_access
from labkit.practice.exercise import read_exercises
from labkit.serve.lan_address import qr_as_svg
from labkit.textbook_versions import all_versions


@require_safe
def class_(request: HttpRequest) -> HttpResponse:
    """Show the URL for the class, in large letters and as a QR code, and the switches."""
    url = supervisor().class_url
    # This SVG is safe: segno draws it from our own URL.
    qr = mark_safe(qr_as_svg(url)) if url else ""
    context = {"url": url, "qr": qr, "labs": supervisor().labs, "here": "class"}
    context["access"] = student_access.read_access(supervisor().checkout.state)
    return render(request, "class.html", context)


@require_POST
def answers(request: HttpRequest) -> HttpResponse:
    """Show or hide the handouts' answers for students over the network."""
    shown = request.POST.get("answers") == student_access.SHOWN
    student_access.show_answers(supervisor().checkout.state, shown)
    return redirect(f"{reverse('class')}#answers")


@require_POST
def code_access(request: HttpRequest) -> HttpResponse:
    """Show students the code of the labs that the form names, and hide the code of all others."""
    state, served = supervisor().checkout.state, {lab.number for lab in supervisor().labs}
    hidden = served - set(request.POST.getlist("lab"))
    hidden |= set(student_access.read_access(state).hidden_code) - served
    student_access.hide_code(state, tuple(sorted(hidden)))
    return redirect(f"{reverse('class')}#code")


@require_POST
def release(request: HttpRequest, name: str) -> HttpResponse:
    """Release the solution of an exercise or version to students, or hide it again."""
    checkout = supervisor().checkout
    known = {exercise.name for exercise in read_exercises(checkout)}
    if name not in known | {version.full_name for version in all_versions(checkout)}:
        raise Http404(f"no exercise and no textbook version {name}")
    shown = request.POST.get("solution") == student_access.SHOWN
    student_access.release_solution(checkout.state, name, shown)
    back = request.POST.get("back", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = reverse("class")
    return redirect(f"{back}#release")
