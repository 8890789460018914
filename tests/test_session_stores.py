"""Test reading, counting and deleting sessions in stores without a database."""

import pytest
from django.core.cache import caches

from labkit import session_stores


@pytest.fixture(autouse=True)
def empty_cache():
    caches["default"].clear()
    yield
    caches["default"].clear()


def saved_session():
    session = session_stores.session_store()()
    session["count"] = 2
    session.save()
    return session


@pytest.mark.parametrize(("engine", "kind"), [("cache", "entry"), ("file", "file")])
def test_a_session_on_the_server_is_read_counted_and_wiped(use_engine, engine, kind):
    use_engine(engine)
    session = saved_session()
    (record,) = session_stores.read(session.session_key)
    assert (record.kind, record.data) == (kind, {"count": 2})
    assert session.session_key in record.name
    assert session_stores.count_records() == {"row": 0, "entry": 0, "file": 0} | {kind: 1}
    assert session_stores.record_sizes()[kind][0] > 0
    session_stores.wipe()
    assert session_stores.read(session.session_key) == []
    assert set(session_stores.count_records().values()) == {0}


def test_a_session_in_its_cookie_is_read_and_leaves_nothing(use_engine):
    use_engine("signed_cookies")
    (record,) = session_stores.read(saved_session().session_key)
    assert (record.kind, record.data) == ("cookie", {"count": 2})
    assert set(session_stores.count_records().values()) == {0}


def test_without_sessions_there_is_nothing_to_count(settings):
    settings.MIDDLEWARE = []
    assert session_stores.engine_name() == ""
    assert session_stores.kinds() == ()
    assert set(session_stores.count_records().values()) == {0}


def test_reading_does_not_load_the_session(use_engine):
    use_engine("cache")
    assert session_stores.read("unknown") == []
    assert session_stores.count_records()["entry"] == 0


def test_wiping_files_keeps_their_folder(tmp_path):
    (tmp_path / "sessionid-x").write_text("x")
    assert session_stores.wipe_files(tmp_path, tmp_path / "missing") == 1
    assert list(tmp_path.iterdir()) == []


def test_in_a_shared_redis_only_the_projects_keys_are_deleted(settings, redis):
    backend = "django.core.cache.backends.redis.RedisCache"
    server = {"BACKEND": backend, "LOCATION": redis.url}
    settings.CACHES = {
        "default": server | {"KEY_PREFIX": "lab_03"},
        "other": server | {"KEY_PREFIX": "lab_04"},
    }
    for cache in caches.all(initialized_only=False):
        cache.set("count", 2)
    session_stores.wipe_cache()
    assert caches["default"].get("count") is None
    assert caches["other"].get("count") == 2
