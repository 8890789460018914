import pytest
from django.core.cache import caches

from labkit.base import conf

ENGINES = ["db", "cached_db", "cache", "file", "signed_cookies"]


@pytest.fixture(autouse=True)
def on_the_default_engine(request):
    """Start each test on the engine db, as a server under test does."""
    if not request.config.getoption("lab_server"):
        request.getfixturevalue("use")


@pytest.fixture
def use(use_engine, settings, monkeypatch):
    """Return a function that chooses an engine and its cache. Until it is called, db is used."""

    def use(engine, redis_url=""):
        use_engine(engine)
        monkeypatch.setenv("REDIS_URL", redis_url)
        settings.CACHES = conf.caches(settings.FOLDER)
        if not redis_url:
            caches["default"].clear()

    use("db")
    return use


@pytest.fixture(params=ENGINES)
def engine(request, use):
    """Use each of the five engines in turn, with LocMem as the cache."""
    use(request.param)
    return request.param
