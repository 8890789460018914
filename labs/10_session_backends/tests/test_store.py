"""Test what each engine stores, and the page /store/, which shows the stored data."""

import json
import re
import zlib

import pytest
from django.contrib.sessions.models import Session
from django.core import signing
from django.core.cache import caches

from lab.store import UNREADABLE
from labkit.testing.contracts import CartPages, notices, table, words
from labkit.testing.malformed_requests import unknown_session_ids
from tests import contract

cart = CartPages()


def stored(visitor):
    return words(visitor.get("/store/"))


def entries(visitor):
    return contract.stored(visitor.get("/store/"))


def state(folder):
    """Return everything that any engine stores on the server, byte for byte."""
    return (
        list(Session.objects.values_list()),
        dict(caches["default"]._cache),
        dict(caches["default"]._expire_info),
        {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()},
    )


def test_a_new_visitor_has_nothing_there_and_gets_no_cookie(engine, visitor):
    assert entries(visitor) == []
    assert list(visitor.jar) == []


def test_looking_changes_nothing(engine, visitor, clock, settings):
    cart.put(visitor, "apple", 3)
    before = state(settings.SESSION_FILE_PATH), [cookie.pair for cookie in visitor.jar]
    clock.forward(seconds=60)
    assert "{'apple': 3}" in stored(visitor)
    assert visitor.exchanges[-1].set_cookies == []
    assert visitor.exchanges[-1].response["Vary"] == "Cookie"
    assert (state(settings.SESSION_FILE_PATH), [c.pair for c in visitor.jar]) == before


def test_looking_at_what_has_ended_changes_nothing_either(use, visitor, clock, settings):
    use("file")
    cart.put(visitor, "apple", 3)
    before = state(settings.SESSION_FILE_PATH)
    copied = visitor.jar.get("sessionid_10").pair
    clock.forward(days=30)
    assert "'apple'" in words(visitor.get("/store/", headers={"cookie": copied}))
    assert state(settings.SESSION_FILE_PATH) == before


PROTECTION = {"cache": "none", "cached_db": "row signed"}  # the others are signed


def test_the_page_says_whether_it_is_signed(engine, visitor):
    cart.put(visitor, "apple")
    page = visitor.get("/store/").content.decode()
    assert f'data-protection="{PROTECTION.get(engine, "signed")}"' in page


def test_each_visitor_sees_what_is_their_own(engine, visitor, classmate):
    cart.put(visitor, "apple", 3)
    cart.put(classmate, "pear")
    assert "'pear'" not in stored(visitor)  # a random key may contain "pear"
    assert "'apple'" not in stored(classmate)
    assert "'pear'" in stored(classmate)


def test_markup_in_it_is_shown_and_not_obeyed(engine, visitor):
    cart.put(visitor, "<script>alert(7)</script>")
    assert "<script>alert(7)</script>" in stored(visitor)
    assert b"<script>alert" not in visitor.exchanges[-1].response.content


@pytest.mark.in_process
def test_the_row(visitor):
    cart.put(visitor, "apple", 3)
    row = Session.objects.get()
    key, data, _, decoded = entries(visitor)
    assert (key, data) == (row.session_key, row.session_data)
    assert decoded == str(row.get_decoded())


@pytest.mark.claim("C76")
def test_the_cache_entry_lies_in_the_cache_called_default(visitor, use, settings):
    use("cache")
    assert settings.SESSION_CACHE_ALIAS == "default"
    cart.put(visitor, "apple", 3)
    key = "django.contrib.sessions.cache" + visitor.jar.get("sessionid_10").value
    assert caches["default"].get(key) == {"cart": {"apple": 3}, "_session_expiry": 120}
    assert Session.objects.count() == 0
    assert entries(visitor) == [f":1:{key}", "{'cart': {'apple': 3}, '_session_expiry': 120}"]
    caches["default"].clear()
    assert entries(visitor) == []
    assert cart.cart(visitor) == {}


@pytest.mark.claim("C76")
def test_another_cache_may_be_named(visitor, use, settings):
    use("cache")
    local = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES |= {"other": {"BACKEND": local, "LOCATION": "other"}}
    settings.SESSION_CACHE_ALIAS = "other"
    cart.put(visitor, "apple", 3)
    key = "django.contrib.sessions.cache" + visitor.jar.get("sessionid_10").value
    assert key in caches["other"]
    assert key not in caches["default"]
    assert "{'apple': 3}" in stored(visitor)


def test_cached_db_keeps_it_twice(visitor, use):
    use("cached_db")
    cart.put(visitor, "apple", 3)
    assert stored(visitor).count("{'cart': {'apple': 3}, '_session_expiry': 120}") == 2
    caches["default"].clear()
    assert stored(visitor).count("{'cart': {'apple': 3}, '_session_expiry': 120}") == 1
    assert cart.cart(visitor) == {"apple": 3}


@pytest.mark.claim("C45")
def test_the_file(visitor, use, settings):
    use("file")
    cart.put(visitor, "apple", 3)
    key = visitor.jar.get("sessionid_10").value
    (path,) = settings.SESSION_FILE_PATH.iterdir()
    assert path.name == f"sessionid_10{key}"
    content = path.read_text()
    salt = "django.contrib.sessions.SessionStore"
    kept = signing.loads(content, salt=salt, serializer=signing.JSONSerializer)
    assert kept == {"cart": {"apple": 3}, "_session_expiry": 120}
    assert entries(visitor) == [f".lab/10/sessions/sessionid_10{key}", content, str(kept)]


@pytest.mark.claim("C34")
def test_the_cookie_and_whoever_has_it_can_read_it(visitor, use, settings):
    use("signed_cookies")
    cart.put(visitor, "apple", 3)
    value = visitor.jar.get("sessionid_10").value
    cookie, _ = entries(visitor)
    assert cookie == f"sessionid_10={value}"
    assert f"{len('sessionid_10' + value)} bytes" in stored(visitor)
    assert Session.objects.count() == 0
    assert list(settings.SESSION_FILE_PATH.iterdir()) == []
    # This needs no key.
    text = signing.b64_decode(value.partition(":")[0].lstrip(".").encode())
    opened = json.loads(zlib.decompress(text) if value.startswith(".") else text)
    assert opened == {"cart": {"apple": 3}, "_session_expiry": 120}


@pytest.mark.claim("C48")
@pytest.mark.parametrize("how", ["letter", "other key", "nothing signed"])
def test_a_cookie_that_was_not_signed_here_counts_for_nothing(visitor, use, how):
    use("signed_cookies")
    cart.put(visitor, "apple", 3)
    value = visitor.jar.get("sessionid_10").value
    salt = "django.contrib.sessions.backends.signed_cookies"
    other = signing.dumps({"cart": {"apple": 999}}, "not this lab's", salt)
    forged = {"letter": re.sub("^.", "x", value), "other key": other, "nothing signed": "e30"}
    visitor.edit_cookie("sessionid_10", forged[how])
    response = visitor.get("/display/")
    assert table(response) == {}
    assert notices(response) != []
    cart.add(visitor, "pear")
    assert cart.cart(visitor) == {"pear": 1}


def damage_row(visitor, folder):
    Session.objects.update(session_data="garbage:b:c")


def damage_file(visitor, folder):
    (path,) = folder.iterdir()
    path.write_text("garbage:b:c")


def damage_cookie(visitor, folder):
    visitor.edit_cookie("sessionid_10", "garbage:b:c")


@pytest.mark.parametrize(
    ("engine", "damage"),
    [("db", damage_row), ("file", damage_file), ("signed_cookies", damage_cookie)],
    indirect=["engine"],
)
def test_what_is_damaged_is_shown_as_it_is(engine, visitor, settings, damage):
    cart.put(visitor, "apple")
    damage(visitor, settings.SESSION_FILE_PATH)
    page = stored(visitor)
    assert "garbage:b:c" in page
    assert entries(visitor)[-1] == UNREADABLE
    assert notices(visitor.get("/display/")) != []
    cart.put(visitor, "pear")
    assert cart.cart(visitor) == {"pear": 1}


def test_in_redis_every_key_is_the_labs_own(visitor, use, redis):
    from redis import Redis

    with Redis.from_url(redis.url) as client:
        client.set("somebodys", "own")
        use("cache", redis.url)
        cart.put(visitor, "apple", 3)
        key = "django.contrib.sessions.cache" + visitor.jar.get("sessionid_10").value
        assert client.exists(f"lab_10:1:{key}")
        assert entries(visitor)[0] == f"lab_10:1:{key}"
        others = [k for k in client.scan_iter() if not k.startswith(b"lab_10:")]
        assert others == [b"somebodys"]


class TestStore(contract.StorePages):
    raw_requests = unknown_session_ids("sessionid_10")


@pytest.mark.thorough
class TestStoreOnEveryEngine(TestStore):
    @pytest.fixture(autouse=True)
    def _engine(self, engine):
        """Use one of the five engines."""
