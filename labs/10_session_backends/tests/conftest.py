import pytest
from django.core.cache import caches

from labkit.base import conf

ENGINES = ["db", "cached_db", "cache", "file", "signed_cookies"]


@pytest.fixture(autouse=True)
def on_the_default_engine(request):
    """Use the engine db at the start of each test, as test servers do."""
    if not request.config.getoption("lab_server"):
        request.getfixturevalue("use")


@pytest.fixture
def use(use_engine, settings, monkeypatch):
    """Return a function that chooses an engine and its cache; db is used until it is called."""

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
    """Run the test with each of the five engines; those with a cache use LocMem."""
    use(request.param)
    return request.param
