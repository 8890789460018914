"""A solution to the exercise test-the-session-cart."""

from labkit.testing.contracts import table, words


def add(visitor, name, quantity=1):
    return visitor.submit("/add/", {"name": name, "quantity": quantity})


def cart(visitor):
    return table(visitor.get("/display/"))


def test_every_page_opens_and_an_empty_cart_has_no_table(visitor):
    for path in ("/", "/add/", "/info/"):
        visitor.get(path)
    assert "<table" not in visitor.get("/display/").content.decode()


def test_names_that_mean_something_are_only_names(visitor):
    goods = {"apple": 1}
    assert table(add(visitor, "apple")) == goods
    for name in ("_session_expiry", "count", "items", "cart"):
        goods[name] = 3
        assert table(add(visitor, name, 3)) == goods
    visitor.get("/")
    visitor.get("/")
    assert cart(visitor) == goods


def test_adding_again_adds_up(visitor):
    add(visitor, "apple", 3)
    assert table(add(visitor, "apple", 2)) == {"apple": 5}


def test_items_can_be_removed_and_the_cart_emptied(visitor):
    for name in ("apple", "pear", "plum"):
        add(visitor, name)
    visitor.submit("/remove/", {"name": "pear"}, page="/display/")
    assert cart(visitor) == {"apple": 1, "plum": 1}
    visitor.submit("/empty/", page="/display/")
    assert cart(visitor) == {}


def test_a_link_does_not_empty_it(visitor):
    add(visitor, "apple")
    assert visitor.get("/empty/").status_code == 405
    assert cart(visitor) == {"apple": 1}


def test_a_wrong_quantity_is_refused(visitor):
    for quantity in ("lots", "-5", "0", "1000"):
        assert add(visitor, "apple", quantity).status_code == 422


def test_a_missing_field_is_refused(visitor):
    page = visitor.get("/add/")
    token = {"csrfmiddlewaretoken": page.context["csrf_token"]}
    assert visitor.post("/add/", token | {"name": "apple"}).status_code == 422


def test_it_is_forgotten_after_two_minutes(visitor, clock):
    add(visitor, "apple")
    clock.forward(seconds=119)
    assert cart(visitor) == {"apple": 1}
    clock.forward(seconds=1)
    assert cart(visitor) == {}


def test_the_page_about_the_session_describes_it(visitor):
    add(visitor, "apple")
    assert "cart" in words(visitor.get("/info/"))
