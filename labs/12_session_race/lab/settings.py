"""Settings for a classroom, not for a real site."""

from pathlib import Path

from labkit.base import conf

FOLDER = Path(__file__).resolve().parent.parent
LAB = conf.number(FOLDER)

SECRET_KEY = conf.secret_key(FOLDER)
DEBUG = conf.debug()
ALLOWED_HOSTS = conf.allowed_hosts()

INSTALLED_APPS = [
    "lab",
    "labkit.base",
    "labkit.panel",
    "django.contrib.sessions",
]
MIDDLEWARE = [
    "labkit.panel.middleware.observe",
    "django.middleware.security.SecurityMiddleware",
    "labkit.base.middleware.error_pages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "lab.urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

# Cookies ignore ports, so all labs share one cookie jar. Each name contains the lab's number.
CSRF_COOKIE_NAME = f"csrftoken_{LAB}"
SESSION_COOKIE_NAME = f"sessionid_{LAB}"
CSRF_FAILURE_VIEW = "labkit.base.error_pages.csrf_failure"
TIME_ZONE = "UTC"

# "Add one" can occupy a thread of `lab serve` for four seconds. 40 threads are enough for a class.
SERVER_THREADS = 40

SESSION_ENGINE = conf.session_engine("django.contrib.sessions.backends.db")
SESSION_FILE_PATH = conf.session_files(FOLDER)  # for the engine file
DATABASES = conf.databases(FOLDER)
