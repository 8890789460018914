"""Code that many examples contain, and how Django reacts to it."""

import os
import re
import subprocess
import sys

import django
import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.core.management.commands.runserver import Command
from django.http import HttpResponse
from django.template import engines
from django.urls import path

from lab import urls
from labkit.base.templatetags.labkit import this_lab


@pytest.fixture
def at_textbook(settings):
    """Put a view at /textbook/, beside the lab's own pages."""

    def put(view):
        class Addresses:
            urlpatterns = (path("textbook/", view), *urls.urlpatterns)
            handler500 = staticmethod(urls.handler500)

        settings.ROOT_URLCONF = Addresses

    return put


def fill(visitor):
    visitor.submit("/student/set/", {"name": "Asha", "email": "asha@example.org"})
    return Session.objects.get().get_decoded()


@pytest.mark.claim("C81")
@pytest.mark.pitfall("B07")
def test_a_loop_that_deletes_is_a_500_and_deletes_nothing(visitor, at_textbook):
    def forget(request):
        for key in request.session.keys():
            del request.session[key]
        return HttpResponse("forgotten")

    before = fill(visitor)
    at_textbook(forget)
    with visitor.expecting("server error"):
        assert visitor.get("/textbook/").status_code == 500
    assert Session.objects.get().get_decoded() == before


@pytest.mark.claim("C82")
@pytest.mark.pitfall("B07")
@pytest.mark.parametrize("way", ["list", "clear", "flush"])
def test_three_ways_to_forget_that_do_not_crash(visitor, classmate, at_textbook, way):
    def forget(request):
        if way == "list":
            for key in list(request.session.keys()):
                del request.session[key]
        else:
            getattr(request.session, way)()
        return HttpResponse("forgotten")

    fill(visitor)
    classmate.submit("/api/", {"operation": "assign"})
    at_textbook(forget)
    visitor.get("/textbook/")
    left = [row.get_decoded() for row in Session.objects.all()]
    assert {} in left or way == "flush"
    assert [entries for entries in left if entries] == [{"tea": 2}]


@pytest.mark.pitfall("B21")
def test_reading_by_key_what_was_never_set_or_is_deleted_is_a_500(visitor, at_textbook):
    def get(request):
        text = request.session["sname"]
        del request.session["sname"]
        return HttpResponse(text)

    at_textbook(get)
    with visitor.expecting("server error"):
        assert visitor.get("/textbook/").status_code == 500
    fill(visitor)
    assert visitor.get("/textbook/").content == b"Asha"
    with visitor.expecting("server error"):
        assert visitor.get("/textbook/").status_code == 500
    assert visitor.get("/student/get/").status_code == 200


@pytest.mark.claim("C84")
def test_del_tells_the_session_itself_and_a_change_inside_does_not():
    session = SessionStore()
    session["cart"] = {"tea": 1}
    session.modified = False
    session["cart"]["tea"] += 1
    assert not session.modified
    del session["cart"]
    assert session.modified


def template_output(session):
    """Return what a template treats the session as, and whether it finds keys in it."""
    template = engines["django"].from_string(
        "{% if session %}full{% else %}empty{% endif %},"
        " {% if session.keys %}full{% else %}empty{% endif %}"
    )
    return template.render({"session": session})


@pytest.mark.pitfall("B05")
def test_before_django_6_1_a_new_session_is_true():
    taken_for = "full" if django.VERSION < (6, 1) else "empty"
    assert template_output(SessionStore()) == f"{taken_for}, empty"


@pytest.mark.django_db
@pytest.mark.pitfall("B05")
def test_a_session_without_entries_is_true_in_each_version():
    session = SessionStore()
    session["tea"] = 2
    session.save()
    del session["tea"]
    assert template_output(session) == "full, empty"
    assert template_output(SessionStore("a" * 32)).startswith("full")  # a key that was never issued


@pytest.mark.claim("C56")
def test_items_is_no_list_but_a_view_that_follows_what_is_done():
    session = SessionStore()
    items = session.items()
    session["tea"] = 2
    assert not isinstance(items, list)
    assert list(items) == [("tea", 2)]


@pytest.mark.claim("C08")
def test_the_session_and_not_its_key_takes_entries():
    session = SessionStore()
    session["tea"] = 2
    session.save()
    assert re.fullmatch("[a-z0-9]{32}", session.session_key)
    with pytest.raises(TypeError):
        session.session_key["tea"]


SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"


@pytest.mark.claim("C42")
def test_without_the_middleware_a_request_has_no_session(visitor, settings):
    settings.MIDDLEWARE = [name for name in django_settings.MIDDLEWARE if name != SESSIONS]
    with pytest.raises(AttributeError, match="'WSGIRequest' object has no attribute 'session'"):
        visitor.get("/api/")


@pytest.mark.claim("C42")
def test_a_new_project_has_app_and_middleware_and_its_admin_asks_for_them(tmp_path):
    call_command("startproject", "fresh", tmp_path)
    path = tmp_path / "fresh" / "settings.py"
    made = path.read_text()
    assert SESSIONS in made
    assert '"django.contrib.sessions"' in made.replace("'", '"')

    def check():
        environ = os.environ | {"DJANGO_SETTINGS_MODULE": "fresh.settings"}
        command = [sys.executable, "manage.py", "check"]
        return subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
        )

    path.write_text("".join(line for line in made.splitlines(True) if SESSIONS not in line))
    assert "admin.E410" in check().stderr


@pytest.mark.claim("C94")
def test_runserver_takes_port_8000_unless_another_is_given(monkeypatch):
    monkeypatch.setattr(Command, "run", lambda self, **options: None)
    taken = []
    for arguments in ([], ["8001"], [str(this_lab().port)]):
        command = Command()
        call_command(command, *arguments)
        taken.append(command.port)
    assert taken == ["8000", "8001", "8008"]
