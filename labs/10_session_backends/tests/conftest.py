import pytest
from django.contrib.sessions.backends import file
from django.core.cache import caches

from labkit import conf

ENGINES = ["db", "cached_db", "cache", "file", "signed_cookies"]


@pytest.fixture(autouse=True)
def use(settings, tmp_path, monkeypatch):
    """Choose an engine, which a visitor meets from the first request on; db unless told."""
    folder = tmp_path / ".lab" / "10" / "sessions"
    folder.mkdir(parents=True)
    settings.SESSION_FILE_PATH = folder
    # Which the engine reads once and then remembers.
    monkeypatch.setattr(file.SessionStore, "_storage_path", str(folder), raising=False)

    def use(engine, redis_url=""):
        settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
        monkeypatch.setenv("REDIS_URL", redis_url)
        settings.CACHES = conf.caches(settings.FOLDER)
        if not redis_url:
            caches["default"].clear()

    use("db")
    return use


@pytest.fixture(params=ENGINES)
def engine(request, use):
    """Each of the five engines, with LocMem where it has a cache."""
    use(request.param)
    return request.param
