"""A Django project without labkit, with the carts of tests/support/textbook.py.

    python bench/bare.py runserver --noreload 8000

The project has the `startproject` settings that these pages need, and Django's default options for
SQLite. bench/burst.py and bench/start.py compare labs with it.
"""

import os
import sys
from pathlib import Path

import dj_database_url
from django.conf import settings
from django.core.management import execute_from_command_line

sys.path[0] = str(Path(__file__).parents[1] / "tests" / "support")
settings.configure(
    SECRET_KEY="textbook",  # noqa: S106
    DEBUG=True,
    INSTALLED_APPS=["django.contrib.sessions"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    ROOT_URLCONF="textbook",
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    DATABASES={"default": dict(dj_database_url.parse(os.environ["DATABASE_URL"]))},
    USE_TZ=True,
)

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
