"""A Django project whose pages break every promise, for the tests of the test harness."""

import sys
from pathlib import Path

import django
import pytest
from django.conf import settings

from labkit.catalog import Catalog

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(Path(__file__).parent))

settings.configure(
    SECRET_KEY="not a secret: only for tests",  # noqa: S106
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="misbehaving",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "labkit.pages"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "labkit.pages.middleware.error_pages",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    CSRF_FAILURE_VIEW="labkit.pages.errors.csrf_failure",
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "DIRS": [ROOT / "labs" / "03_cookie_cart" / "lab" / "templates"],
        }
    ],
    FOLDER=ROOT / "labs" / "03_cookie_cart",
    LAB="03",
    TIME_ZONE="UTC",
)
django.setup()


@pytest.fixture(scope="session")
def checkout() -> Catalog:
    return Catalog(ROOT)
