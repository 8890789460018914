import re
from urllib.parse import unquote

import pytest
from django.db import connection

from lab import storage
from labkit.testing.contracts import PAGES, CartContract, facts, notices, table, words
from labkit.testing.malformed_requests import spoilt_cookies


class TestCart(CartContract):
    kept_in = "cookies"
    lifetime = 120
    capacity = 50
    raw_requests = spoilt_cookies("cart_03_")


cart = TestCart()


@pytest.mark.claim("C24")
def test_where_is_the_cart(visitor):
    cart.put(visitor, "red apple", 3)
    cart.put(visitor, "pear", 1)
    held = {cookie.name: cookie.value for cookie in visitor.jar if "csrf" not in cookie.name}
    assert held == {"cart_03_red%20apple": "3", "cart_03_pear": "1"}


@pytest.mark.pitfall("B10", "B36")
def test_can_an_items_name_meet_another_entry(visitor):
    for name in ("apple", "_session_expiry", "count", "testcookie", "items"):
        cart.put(visitor, name)
    names = [cookie.name for cookie in visitor.jar if "csrf" not in cookie.name]
    assert [name.startswith("cart_03_") for name in names] == [True] * 5


def test_what_is_there_before_the_first_add(visitor):
    for path in PAGES:
        visitor.get(path)
    assert [cookie.name for cookie in visitor.jar] == ["csrftoken_03"]  # the form's
    cart.put(visitor, "apple")
    assert [cookie.name for cookie in visitor.jar] == ["csrftoken_03", "cart_03_apple"]


@pytest.mark.claim("C27")
def test_what_travels_with_every_request(visitor):
    for number in range(10):
        cart.put(visitor, f"item {number}")
    visitor.get("/info/")
    sent = visitor.exchanges[-1].cookie_bytes.decode().split("; ")
    assert sorted(sent[1:]) == [f"cart_03_item%20{number}=1" for number in range(10)]


def test_can_anybody_read_what_is_kept(visitor):
    cart.put(visitor, "red apple", 3)
    assert visitor.jar.get("cart_03_red%20apple").value == "3"
    assert unquote("red%20apple") == "red apple"  # any URL decoder can decode the cookie


def test_how_long_would_it_live_had_nobody_said(visitor, monkeypatch):
    monkeypatch.setattr(storage, "LIFETIME", None)
    cart.put(visitor, "apple")
    assert visitor.jar.get("cart_03_apple").expires is None
    visitor.close_browser()
    assert cart.cart(visitor) == {}


def test_which_flags_has_its_cookie(visitor):
    cart.put(visitor, "pear")
    cookie = visitor.jar.get("cart_03_pear")
    assert cookie.http_only
    assert cookie.same_site == "Lax"


def test_which_table_does_it_need():
    assert connection.vendor == "unknown"  # without DATABASES, there is no database


@pytest.mark.claim("C22")
def test_what_does_a_second_add_change(visitor, clock):
    cart.put(visitor, "apple")
    first = visitor.jar.get("cart_03_apple")
    assert first.expires == clock.now.timestamp() + 120
    clock.forward(seconds=30)
    cart.put(visitor, "pear")
    second = visitor.jar.get("cart_03_pear")
    assert visitor.jar.get("cart_03_apple") == first
    assert second.expires == first.expires + 30


def test_what_does_a_second_browser_add(visitor, classmate):
    cart.put(visitor, "apple")
    cart.put(classmate, "apple")
    assert visitor.jar.get("cart_03_apple").value == classmate.jar.get("cart_03_apple").value


@pytest.mark.claim("C22")
def test_does_adding_one_item_prolong_the_others(visitor, clock):
    cart.put(visitor, "apple")
    clock.forward(seconds=100)
    cart.put(visitor, "pear")
    clock.forward(seconds=100)
    assert cart.cart(visitor) == {"pear": 1}


def test_does_it_outlive_the_browser(visitor):
    cart.put(visitor, "apple")
    visitor.close_browser()
    assert cart.cart(visitor) == {"apple": 1}


def test_can_the_visitor_change_it(visitor):
    cart.put(visitor, "apple", 3)
    visitor.edit_cookie("cart_03_apple", "5")
    assert cart.cart(visitor) == {"apple": 5}


def test_what_becomes_of_nonsense_in_the_cookie(visitor, subtests):
    cart.put(visitor, "pear", 1)
    cart.put(visitor, "apple", 3)
    assert notices(visitor.get("/display/")) == []
    for nonsense in ["", "-3", "1e9", "abc", "<script>", "1000", "0", "٣", "x" * 4000]:
        with subtests.test(nonsense=nonsense):
            visitor.edit_cookie("cart_03_apple", nonsense)
            response = visitor.get("/display/")
            assert table(response) == {"pear": 1}
            assert re.findall("[0-9]+", notices(response)[0]) == ["1"]
            assert "<script>" not in visitor.get("/info/").content.decode()
    assert table(cart.empty(visitor)) == {}
    assert visitor.jar.get("cart_03_apple") is None


def test_is_anything_left_after_the_cart_is_emptied(visitor):
    cart.put(visitor, "apple")
    cart.empty(visitor)
    assert [cookie.name for cookie in visitor.jar] == ["csrftoken_03"]


def test_does_a_copied_cookie_bring_back_an_emptied_cart(visitor):
    cart.put(visitor, "apple", 3)
    copied = visitor.jar.get("cart_03_apple").pair
    cart.empty(visitor)
    assert table(visitor.get("/display/", headers={"cookie": copied})) == {"apple": 3}


def test_what_does_the_server_know_of_the_time_left(visitor, clock):
    cart.put(visitor, "apple")
    known = facts(visitor.get("/info/"))
    clock.forward(seconds=50)
    assert facts(visitor.get("/info/")) == known  # the page does not show how much time is left


def test_what_does_the_info_page_show(visitor):
    cart.put(visitor, "red apple", 3)
    assert "Cookie cart_03_red%20apple 3" in words(visitor.get("/info/"))


def test_what_if_the_server_forgets(visitor):
    cart.put(visitor, "apple", 3)
    # The server stored nothing, so it has nothing to delete.
    assert cart.cart(visitor) == {"apple": 3}


def test_what_if_the_server_forgets_while_it_answers(visitor, monkeypatch):
    fields = cart.put(visitor, "apple", 3)
    put = storage.put
    monkeypatch.setattr(storage, "put", lambda *a: (put(*a), storage.load(a[0])))
    assert visitor.post("/add/", fields).status_code == 302
    assert cart.cart(visitor) == {"apple": 6}


def test_what_if_what_is_kept_is_damaged(visitor):
    cart.put(visitor, "apple", 3)
    visitor.edit_cookie("cart_03_apple", "garbage")
    assert re.findall("[0-9]+", notices(visitor.get("/display/"))[0]) == ["1"]
    cart.put(visitor, "apple")
    assert cart.cart(visitor) == {"apple": 1}


def test_what_if_what_is_kept_has_an_old_form(visitor):
    cart.put(visitor, "apple", 3)
    # Use the item's name as the cookie's name, as many textbooks do.
    visitor.jar.store("pear=2; Path=/", visitor.origin)
    assert cart.cart(visitor) == {"apple": 3}


def test_is_a_session_key_taken_over_that_the_server_did_not_make(visitor, classmate):
    for browser in (visitor, classmate):
        browser.jar.store(f"sessionid_04={'a' * 32}; Path=/", browser.origin)
    cart.put(visitor, "apple", 3)
    assert visitor.jar.get("sessionid_04").value == "a" * 32  # this cart ignores it
    assert cart.cart(classmate) == {}


def test_does_it_tell_large_letters_from_small_ones(visitor):
    cart.put(visitor, "apple", 3)
    for name in ("CART_03_apple", "cart_03_APPLE"):
        header = {"cookie": f"{name}=3"}
        assert "apple" not in table(visitor.get("/display/", headers=header))


def test_how_many_of_the_longest_names_fit(visitor):
    fields = cart.put(visitor, "🍎" * 40)
    for number in range(10, 17):
        response = visitor.post("/add/", fields | {"name": "🍎" * 38 + str(number)})
        assert response.status_code == 302
    refused = visitor.post("/add/", fields | {"name": "🍎" * 38 + "17"})
    assert refused.status_code == 422
    assert str(storage.MAX_BYTES) in words(refused)
    carried = [c.pair for c in visitor.jar if c.name.startswith("cart_03_")]
    assert len(carried) == 8
    assert 3500 < len("; ".join(carried)) <= 4000


def test_what_can_the_visitor_be_told_after_the_end(visitor, clock):
    cart.put(visitor, "apple")
    clock.forward(seconds=120)
    response = visitor.get("/display/")
    assert notices(response) == []
    assert table(response) == {}


@pytest.mark.in_process
@pytest.mark.thorough
def test_does_the_panel_predict_every_end(pytestconfig, monkeypatch):
    from labkit.testing.contracts.visit_timeline import compared_ends

    monkeypatch.setenv("LAB_PANEL", "1")
    assert compared_ends(pytestconfig.getoption("lab_examples")) > 20
