"""A solution to the exercise test-the-cookie-cart."""

from labkit.testing.contracts import table


def add(visitor, name, quantity=1):
    return visitor.submit("/add/", {"name": name, "quantity": quantity})


def test_any_name_is_added(visitor):
    for name in ("apple", "red apple", "path", "🍎"):
        assert table(add(visitor, name, 3))[name] == 3


def test_an_item_can_be_removed(visitor):
    add(visitor, "apple")
    visitor.submit("/remove/", {"name": "apple"}, page="/display/")
    assert table(visitor.get("/display/")) == {}


def test_the_cart_can_be_emptied(visitor):
    add(visitor, "apple")
    add(visitor, "pear")
    visitor.submit("/empty/", page="/display/")
    assert table(visitor.get("/display/")) == {}


def test_adding_again_adds_up(visitor):
    add(visitor, "apple", 3)
    assert table(add(visitor, "apple", 2)) == {"apple": 5}


def test_reloading_does_not_add_again(visitor):
    assert add(visitor, "apple").redirect_chain == [("/display/", 302)]


def test_a_wrong_quantity_is_refused_and_stays_in_the_form(visitor):
    for quantity in (-3, 0, 5000):
        page = add(visitor, "apple", quantity)
        assert page.status_code == 422
        assert f'value="{quantity}"' in page.content.decode()


def test_other_cookies_are_not_items(visitor):
    visitor.jar.store("count=5; Path=/", visitor.origin)
    visitor.get("/add/")
    page = visitor.get("/display/")
    assert table(page) == {}
    assert "<table" not in page.content.decode()


def test_a_full_cart_is_refused(visitor):
    for number in range(50):
        assert add(visitor, f"item {number}").status_code == 200
    assert add(visitor, "one more").status_code == 422


def test_other_urls_have_no_page(visitor):
    assert visitor.get("/display/anything/").status_code == 404
