"""Read environment variables that other projects on this machine may also have set."""

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

# Other projects may set these variables, so tests, copies and measurements run without them.
SHARED = (
    "DATABASE_URL",
    "DJANGO_SETTINGS_MODULE",
    "REDIS_URL",
    "SESSION_ENGINE",
    "SESSION_SAVE_EVERY_REQUEST",
)
# Django's, https://docs.djangoproject.com/en/5.2/topics/http/sessions/#configuring-the-session-engine
ENGINES = ["db", "cached_db", "cache", "file", "signed_cookies"]
BACKENDS = "django.contrib.sessions.backends."


def database_url(environ: Mapping[str, str] | None = None) -> str:
    """Return DATABASE_URL, or "" if it is blank or not set."""
    return _read("DATABASE_URL", environ)


def redis_url(environ: Mapping[str, str] | None = None) -> str:
    """Return REDIS_URL, or "" if it is blank or not set."""
    return _read("REDIS_URL", environ)


def session_engine(default: str, environ: Mapping[str, str] | None = None) -> str:
    """Return SESSION_ENGINE if it is the path of one of Django's engines, otherwise `default`."""
    named = _read("SESSION_ENGINE", environ)
    return named if named in {BACKENDS + engine for engine in ENGINES} else default


def unknown_engine(environ: Mapping[str, str] | None = None) -> str:
    """Return SESSION_ENGINE if it does not name one of Django's engines, otherwise ""."""
    named = _read("SESSION_ENGINE", environ)
    return "" if named == session_engine("", environ) else named


def without_shared(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a copy of the environment without variables that other projects may have set."""
    found = os.environ if environ is None else environ
    return {name: value for name, value in found.items() if name not in SHARED}


def _read(name: str, environ: Mapping[str, str] | None) -> str:
    return (os.environ if environ is None else environ).get(name, "").strip()


def describe_url(url: str) -> str:
    """Return a URL without its user name and password, for printing."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "a URL that cannot be read"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"
