"""Tests of the cart with each engine."""

import pytest

from lab import engines
from labkit.testing.contracts import CartContract, OddCartEntries, notices, table, words
from labkit.testing.malformed_requests import unknown_session_ids

NAMES = "_session_expiry", "red apple", "日本", "<script>"


class TestCart(CartContract):
    lifetime = 120
    capacity = 200
    raw_requests = unknown_session_ids("sessionid_10")


class TestOddEntries(OddCartEntries):
    session_cookie = "sessionid_10"
    pages = (*OddCartEntries.pages, "/store/", "/engines/")


cart = TestCart()


@pytest.mark.claim("C36", "C37")
def test_every_engine_keeps_a_cart_from_visit_to_visit(engine, visitor, classmate):
    fields = cart.put(visitor, NAMES[0], 2)
    for name in NAMES[1:]:
        visitor.post("/add/", fields | {"name": name})
    cart.put(classmate, "pear")
    assert table(cart.add(visitor, "日本", 3)) == dict.fromkeys(NAMES, 2) | {"日本": 5}
    assert list(table(cart.remove(visitor, "<script>"))) == list(NAMES[:3])
    assert table(cart.empty(visitor)) == {}
    assert cart.cart(classmate) == {"pear": 1}


def test_the_page_says_where_each_engine_keeps_it(engine, visitor):
    places = {name: row.split(engines.SEPARATOR)[0] for name, row in engines.TABLE.items()}
    own = places.pop(engine + ", LocMem" * (engine in {"cached_db", "cache"}))
    page = words(visitor.get("/info/"))
    assert own in page
    assert not any(other in page for other in places.values())


@pytest.mark.claim("C86")
def test_on_every_engine_the_cart_outlives_the_browser_and_then_ends(engine, visitor, clock):
    cart.put(visitor, "apple", 3)
    clock.forward(seconds=119)
    visitor.close_browser()
    assert cart.cart(visitor) == {"apple": 3}
    clock.forward(seconds=1)
    assert cart.cart(visitor) == {}
    cart.add(visitor, "apple", 1)
    assert cart.cart(visitor) == {"apple": 1}


def test_on_every_engine_a_key_that_is_none_opens_nothing(engine, visitor, tmp_path, subtests):
    (tmp_path / ".lab" / "10" / "secret").write_text("a secret")
    (tmp_path / ".lab" / "10" / "sessions" / "sessionid_10").mkdir()  # on the path to ../../secret
    values = ["", "x" * 300, "/../../secret", "🍎", "a" * 32]
    for value in values:
        header = {"cookie": f"sessionid_10={value}"}
        with subtests.test(value=value):
            for path in ("/store/", "/display/"):
                response = visitor.get(path, headers=header)
                assert "a secret" not in words(response)
                assert path != "/display/" or notices(response) != []
    assert table(cart.add(visitor, "apple")) == {"apple": 1}


def test_on_every_engine_a_key_of_ones_own_making_is_never_taken_over(engine, visitor):
    planted = "a" * 32
    visitor.jar.store(f"sessionid_10={planted}; Path=/", visitor.origin)
    cart.put(visitor, "apple")
    assert visitor.jar.get("sessionid_10").value != planted


# The same tests with the other engines


class OnAnotherEngine(CartContract):
    name: str
    lifetime = TestCart.lifetime
    capacity = TestCart.capacity
    raw_requests = TestCart.raw_requests
    # The table says how many items each engine can store. The test of odd names is
    # test_every_engine_keeps_a_cart_from_visit_to_visit.
    test_a_full_cart_refuses_one_more_item = None
    test_any_name_is_added_shown_and_removed_exactly = None

    @pytest.fixture(autouse=True)
    def _engine(self, use):
        use(self.name)


@pytest.mark.thorough
class TestCartInCachedDb(OnAnotherEngine):
    name = "cached_db"


@pytest.mark.no_database
@pytest.mark.thorough
class TestCartInCache(OnAnotherEngine):
    name = "cache"


@pytest.mark.no_database
@pytest.mark.thorough
class TestCartInFile(OnAnotherEngine):
    name = "file"


@pytest.mark.no_database
@pytest.mark.thorough
class TestCartInSignedCookies(OnAnotherEngine):
    name = "signed_cookies"


class TestCartInRedis(OnAnotherEngine):
    # Redis has its own clock, so test_table.py tests its expiry.
    name = "cache"

    @pytest.fixture(autouse=True)
    def _engine(self, use, redis):
        use("cache", redis.url)
