"""Test the size limit of a cart in a cookie: browsers silently drop more than 4096 bytes."""

from random import Random

import lxml.html
import pytest

from lab import cookie_size, storage
from labkit.testing.contracts import CartPages, text
from labkit.testing.response_checks import COOKIE_REFUSED, SET_COOKIE_SIZE

cart = CartPages()


def names():
    """Yield names of the maximum length that hardly compress."""
    chosen = Random(10)
    while True:
        yield "".join(map(chr, chosen.choices(range(0x4E00, 0x9FA5), k=40)))


def fill(visitor):
    """Add items until one is refused; return its name, the other names, and the last response."""
    fields, kept = cart.put(visitor, "apple", 3), {"apple": 3}
    for name in names():
        response = visitor.post("/add/", fields | {"name": name, "quantity": 1})
        if response.status_code != 302 or len(kept) == 60:
            return name, kept, response
        kept[name] = 1


def refusals(response):
    """Return the form's non-field errors."""
    page = lxml.html.document_fromstring(text(response))
    return [li.text_content() for errors in page.find_class("nonfield") for li in errors]


def full(size, limit=4000):
    """Return the error for a cart whose cookie would have this many bytes."""
    return cookie_size.FULL.format(size=size, limit=limit)


@pytest.mark.claim("C29")
@pytest.mark.pitfall("B39")
def test_a_cart_too_large_for_its_cookie_is_refused_before_anything_is_lost(visitor, use):
    use("signed_cookies")
    name, kept, refused = fill(visitor)
    assert refused.status_code == 422
    assert cookie_size.MAX_BYTES == 4000  # not 4096: see lab/cookie_size.py
    (why,) = refusals(refused)
    assert why in {full(size) for size in range(4001, 5000)}
    cookie = visitor.jar.get("sessionid_10")
    assert 3700 < len(cookie.name + cookie.value) <= 4000
    assert cart.cart(visitor) == kept
    # Removing an item makes room for another one.
    cart.remove(visitor, list(kept)[1])
    cart.put(visitor, name)
    assert name in cart.cart(visitor)


def test_the_size_that_is_foretold_is_what_the_cookie_gets(visitor, use, monkeypatch):
    use("signed_cookies")
    fields = cart.with_token(visitor, name="apple", quantity=3)
    with monkeypatch.context() as patch:
        patch.setattr(cookie_size, "MAX_BYTES", 10)
        said = refusals(visitor.post("/add/", fields))
    visitor.post("/add/", fields)
    cookie = visitor.jar.get("sessionid_10")
    assert said == [full(len(cookie.name + cookie.value), limit=10)]


@pytest.mark.pitfall("B39")
def test_without_the_refusal_the_last_write_is_lost_and_nobody_says_so(visitor, use, monkeypatch):
    use("signed_cookies")
    monkeypatch.setattr(storage, "refusal", lambda *_: None)
    fields, kept = cart.put(visitor, "apple", 3), {"apple": 3}
    with visitor.expecting(SET_COOKIE_SIZE, COOKIE_REFUSED):
        for name in names():
            response = visitor.post("/add/", fields | {"name": name, "quantity": 1})
            assert response.status_code == 302  # a refused add also redirects to the cart
            if visitor.exchanges[-1].refused:
                break
            kept[name] = 1
    assert len(kept) > 10
    assert cart.cart(visitor) == kept  # but not `name`


@pytest.mark.thorough
@pytest.mark.parametrize("engine", ["db", "cached_db", "cache", "file"], indirect=True)
def test_the_other_engines_have_room(engine, visitor):
    *_, response = fill(visitor)
    assert response.status_code == 302
    assert len(cart.cart(visitor)) == 61


@pytest.mark.thorough
def test_whatever_is_changed_in_a_full_cart_its_cookie_fits(visitor, use):
    use("signed_cookies")
    _, kept, _ = fill(visitor)
    chosen = Random(11)
    fields = cart.with_token(visitor)
    for name in list(kept):
        # Each response is checked for a cookie that is too large.
        visitor.post("/add/", fields | {"name": name, "quantity": chosen.randint(100, 900)})
        assert name in cart.cart(visitor)
        visitor.post("/remove/", fields | {"name": name})
        assert name not in cart.cart(visitor)
