"""Settings of the console, which needs neither a database nor sessions."""

import secrets

from labkit.console import supervisor
from labkit.render import standalone_page

DEBUG = False
# The key is new at each start, because nothing that it signs is needed after a restart.
SECRET_KEY = secrets.token_urlsafe(50)
ALLOWED_HOSTS = ["127.0.0.1", ".localhost", "[::1]", *supervisor().addresses]

INSTALLED_APPS = ["labkit.console", "labkit.base"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "labkit.base.middleware.error_pages",
    "labkit.console.middleware.own_content_only",
    "labkit.console.middleware.instructor_only",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "labkit.console.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "DIRS": [standalone_page.FOLDER],
        "OPTIONS": {
            "context_processors": ["labkit.console.middleware.context"],
            "builtins": [standalone_page.FILTERS],
        },
    }
]

# Cookies ignore ports, but not paths: with this path, browsers never send the cookie to a lab.
CSRF_COOKIE_NAME = "csrftoken_console"
CSRF_COOKIE_PATH = "/console/"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_AGE = None  # until the browser closes
CSRF_FAILURE_VIEW = "labkit.base.error_pages.csrf_failure"
# Over plain HTTP from another machine, a browser ignores this header and logs a warning.
SECURE_CROSS_ORIGIN_OPENER_POLICY = None
# The console uses this machine's time zone; the labs use UTC.
USE_TZ = False
TIME_ZONE = None
# A client must not be able to fill the instructor's terminal with messages about refused hosts.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"null": {"class": "logging.NullHandler"}},
    "loggers": {"labkit.errors": {"handlers": ["null"], "propagate": False}},
}
