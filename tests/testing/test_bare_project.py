"""Test labkit.testing in another Django project, as docs/testing.md describes."""

import os
import subprocess
import sys

import pytest
from distributions import required_by
from documents import ROOT, Document

from labkit import DISTRIBUTION
from labkit.http.set_cookie import OTHER_DOMAIN
from labkit.testing.failure_report import STORE_HEADING

FILES = Document.read(ROOT / "docs" / "testing.md").files()
RECIPES = sorted(name for name in FILES if name.startswith("test_"))

# {recipe: its mistake}. A mistake is a text in urls.py and its replacement, or a setting and its
# value.
MISTAKES = {
    "test_cookie_size.py": ("[:300]", "[:300] * 2"),
    "test_login.py": ("SESSION_COOKIE_AGE", 30 * 86_400),
    "test_refused_cookie.py": (', domain="other.example"', ""),
    "test_remember_me.py": ('if "remember" not in', 'if "remember" in'),
    "test_same_site.py": ("SESSION_COOKIE_SAMESITE", "Strict"),
    "test_session_fixation.py": ("SESSION_ENGINE", "same_key"),
    "test_two_tabs.py": ('request.POST["product"]', 'request.session["last_seen"]'),
    "test_vary.py": ("@vary_on_cookie\n", ""),
}
MISTAKEN = """

@pytest.fixture(autouse=True)
def mistake(settings):
    settings.{setting} = {value!r}

pytestmark = pytest.mark.xfail(raises=AssertionError, strict=True)
"""
SAME_KEY = """
from django.contrib.sessions.backends import db

class SessionStore(db.SessionStore):
    def cycle_key(self):
        pass
"""


def with_mistakes():
    """Return {name: content} of each recipe with its mistake, and of the modules that make it."""
    files = {"same_key.py": SAME_KEY}
    for recipe, (place, new) in MISTAKES.items():
        setting, value = place, new
        if not place.isupper():
            assert place in FILES["urls.py"]
            setting, value = "ROOT_URLCONF", recipe.removesuffix(".py").replace("test_", "urls_")
            files[f"{value}.py"] = FILES["urls.py"].replace(place, new)
        end = MISTAKEN.format(setting=setting, value=value)
        files[recipe] = f"import pytest\n{FILES[recipe]}{end}"
    return files


MORE_TESTS = """
import django.test
from django.contrib.auth.models import User
from labkit.testing import Visitor

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
        self.assertRedirects(self.client.submit("/note/", {"note": "x"}), "/note/")
"""

FAILING = """
def test_wrong(visitor, db):
    visitor.get("/tracking/")
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


# A pytest plugin that imports only the packages named in the environment variable ALLOWED.
ONLY = """
import os, sys
from importlib import metadata

class Only:
    def find_spec(self, name, path=None, target=None):
        if name in REFUSED:
            raise ModuleNotFoundError(f"{name} is not in the extra testing", name=name)

def normalized(name):
    return name.lower().replace("_", "-")

ALLOWED = set(os.environ["ALLOWED"].split())
REFUSED = {
    module
    for module, names in metadata.packages_distributions().items()
    if not ALLOWED & set(map(normalized, names))
}
assert "waitress" in REFUSED
sys.meta_path.insert(0, Only())
"""

WITHOUT_PYTEST = """
import only
from django.conf import settings
settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="x")
import django
django.setup()
from django.http import HttpResponse
from django.urls import path
from labkit.testing import BrokenPromise, Clock, Exchange, Visitor, WireVisitor, response_checks

urlpatterns = [path("", lambda request: HttpResponse("hello"))]
assert Visitor().get("/").content == b"hello"
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
    """Write these files and run python on them; return (exit status, output)."""

    def run(*arguments, files, **variables):
        for name, content in files.items():
            (tmp_path / name).write_text(content, encoding="utf-8")
        clean = {k: v for k, v in os.environ.items() if k not in {"DJANGO_SETTINGS_MODULE", "CI"}}
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=clean | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")


def number_of_tests(files):
    twice = [text for text in files.values() if "parametrize" in text]
    return sum(text.count("\ndef test_") for text in files.values()) + len(twice)


def test_the_recipes_pass_in_the_project(run):
    more = {"test_more.py": MORE_TESTS}
    status, output = run(*PYTEST, "--ds=settings", "-W", "error", files=FILES | more)
    assert status == 0, output
    assert f"{number_of_tests(FILES) + 1} passed" in output


def test_each_recipe_notices_a_mistake(run):
    assert sorted(MISTAKES) == RECIPES
    status, output = run(*PYTEST, "--ds=settings", files=FILES | with_mistakes())
    assert status == 0, output
    assert f"{number_of_tests(FILES)} xfailed" in output
    assert " passed" not in output


def test_a_failure_shows_the_exchange_there_too(run):
    files = {name: text for name, text in FILES.items() if name not in RECIPES}
    status, output = run(*PYTEST, "--ds=settings", files=files | {"test_wrong.py": FAILING})
    assert status == 1
    refusal = OTHER_DOMAIN.format(domain="other.example", host="testserver")
    assert f"NOT stored: {refusal}" in output
    assert STORE_HEADING in output


def test_a_projects_own_options_and_fixtures_are_left_alone(run):
    files = {"conftest.py": OWN_CONFTEST, "test_own.py": OWN_FIXTURE}
    status, output = run(*PYTEST, "-m", "not browser", files=files)
    assert status == 0, output
    assert "1 passed" in output


def test_in_a_project_that_asks_for_nothing_it_does_nothing(run):
    status, output = run(*PYTEST, files={"test_quiet.py": QUIET})
    assert status == 0, output


# Plugins are named explicitly, because pytest would otherwise also load those of refused packages.
PLUGINS = ("pytest_django.plugin", "labkit.testing.plugin", "labkit.compare.plugin")


def test_the_recipes_need_nothing_but_the_extra_testing(run):
    light = required_by(DISTRIBUTION, "testing")
    assert not light & {"waitress", "segno", "markdown-it-py", "rich", "click", "hypothesis"}
    plugins = [word for name in ("only", *PLUGINS) for word in ("-p", name)]
    status, output = run(
        *PYTEST,
        *plugins,
        "--ds=settings",
        files=FILES | {"only.py": ONLY},
        ALLOWED=" ".join(light),
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
        PYTHONPATH=".",
    )
    assert status == 0, output


def test_visitors_need_neither_pytest_nor_its_pygments(run):
    needed = {"ada-url", "lxml", "publicsuffixlist", "time-machine", *required_by("django")}
    status, output = run(
        "alone.py",
        files={"only.py": ONLY, "alone.py": WITHOUT_PYTEST},
        ALLOWED=" ".join({DISTRIBUTION, "pycparser", "cffi", *needed}),
    )
    assert status == 0, output
