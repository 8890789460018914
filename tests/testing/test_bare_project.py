"""Test labkit.testing in another Django project, as docs/testing.md describes."""

import os
import subprocess
import sys

import pytest

from labkit.http.set_cookie import OTHER_DOMAIN
from labkit.testing.failure_report import STORE_HEADING

SETTINGS = """
SECRET_KEY = "bare"
ROOT_URLCONF = "urls"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "DIRS": ["."],
    "OPTIONS": {"context_processors": ["django.contrib.auth.context_processors.auth"]},
}]
LOGIN_REDIRECT_URL = "/"
"""

URLS = """
from django.contrib.auth.views import LoginView
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

def strange(request):
    response = HttpResponse("strange")
    response.set_cookie("a", "1", domain="other.example")
    return response

urlpatterns = [
    path("", lambda request: render(request, "page.html")),
    path("login/", LoginView.as_view(template_name="page.html")),
    path("away/", lambda request: redirect("/login/?next=/")),
    path("strange/", strange),
]
"""

PAGE = """{% if form %}<form method="post">{% csrf_token %}{{ form }}</form>{% endif %}{{ user }}"""

TESTS = """
import django.test
import pytest
from django.contrib.auth.models import User
from labkit.testing import BrokenPromise, Visitor, response_checks

@pytest.fixture
def anu(db):
    return User.objects.create_user("anu", password="secret")

@pytest.mark.django_db
def test_a_login_ends_after_two_weeks(visitor, clock, anu):
    visitor.submit("/login/", {"username": "anu", "password": "secret"})
    clock.forward(days=13)
    assert visitor.get("/").context["user"].is_authenticated
    clock.forward(days=1)
    assert not visitor.get("/").context["user"].is_authenticated

@pytest.mark.django_db
def test_a_login_without_a_form(visitor, anu):
    visitor.force_login(anu)
    assert visitor.get("/").context["user"] == anu

class TestLogin(django.test.TestCase):
    client_class = Visitor

    def test_a_login_of_a_test_case(self):
        User.objects.create_user("anu", password="secret")
        self.client.cookies.load({"a": "1"})
        assert self.client.login(username="anu", password="secret")
        assert self.client.session["_auth_user_id"]
        response = self.client.get("/")
        assert response.context["user"].username == "anu"
        self.client.logout()
        assert len(self.client.cookies) == 0
        self.assertRedirects(self.client.get("/away/"), "/login/?next=/")

def test_a_cookie_for_strangers(visitor):
    with visitor.expecting(response_checks.COOKIE_REFUSED):
        visitor.get("/strange/")
    with pytest.raises(BrokenPromise):
        visitor.get("/strange/")
"""

FAILING = """
def test_wrong(visitor):
    visitor.get("/strange/")
"""

QUIET = """
import sys

def test_nothing_of_labkit_or_django_is_loaded_for_nothing():
    assert "labkit.testing.visitor" not in sys.modules
    assert "labkit.testing.base_visitor" not in sys.modules
    assert "lxml" not in sys.modules
    assert "django.test" not in sys.modules
    assert "playwright" not in sys.modules
"""


OWN_CONFTEST = """
import pytest

def pytest_addoption(parser):
    parser.addoption("--db")
    parser.addoption("--examples")

@pytest.fixture
def chromium():
    return "a metal"
"""

OWN_FIXTURE = """
def test_a_metal(chromium):
    assert chromium == "a metal"
"""


@pytest.fixture
def run(tmp_path):
    """Write these files and run pytest on them; return (exit status, output)."""

    def run(*arguments, **files):
        for name, content in files.items():
            (tmp_path / name.replace("__", ".")).write_text(content)
        clean = {k: v for k, v in os.environ.items() if k not in {"DJANGO_SETTINGS_MODULE", "CI"}}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
            cwd=tmp_path,
            env=clean,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


def bare_project(**more):
    return {"settings__py": SETTINGS, "urls__py": URLS, "page__html": PAGE, **more}


def test_the_page_of_the_documents_is_true(run):
    project = bare_project(test_login__py=TESTS)
    status, output = run("--ds=settings", **project)
    assert status == 0, output
    assert "4 passed" in output


def test_a_failure_shows_the_exchange_there_too(run):
    status, output = run("--ds=settings", **bare_project(test_wrong__py=FAILING))
    assert status == 1
    refusal = OTHER_DOMAIN.format(domain="other.example", host="testserver")
    assert f"NOT stored: {refusal}" in output
    assert STORE_HEADING in output


def test_a_projects_own_options_and_fixtures_are_left_alone(run):
    status, output = run("-m", "not browser", conftest__py=OWN_CONFTEST, test_own__py=OWN_FIXTURE)
    assert status == 0, output
    assert "1 passed" in output


def test_in_a_project_that_asks_for_nothing_it_does_nothing(run):
    status, output = run(test_quiet__py=QUIET)
    assert status == 0, output
