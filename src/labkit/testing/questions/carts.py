"""The questions about a cart; pages and fields as in labs 03, 04 and 10."""

from typing import Any

from labkit.testing.contracts import CartPages
from labkit.testing.questions.base import question, yes

cart = CartPages()


@question
def browser_closed(visitor: Any) -> str:
    """Close the browser, open it again, look."""
    cart.put(visitor, "apple", 3)
    visitor.close_browser()
    return yes(cart.cart(visitor) == {"apple": 3})


@question
def reading_prolongs(visitor: Any, clock: Any) -> str:
    """Look at it every minute; after two minutes it is there, or gone."""
    cart.put(visitor, "apple", 3)
    clock.forward(seconds=60)
    assert cart.cart(visitor) == {"apple": 3}
    clock.forward(seconds=60)
    return yes(cart.cart(visitor) == {"apple": 3})


@question
def adding_prolongs_the_rest(visitor: Any, clock: Any) -> str:
    """Add an apple, and 100 seconds later a pear; is the apple there 100 seconds after that?"""
    cart.put(visitor, "apple")
    clock.forward(seconds=100)
    cart.put(visitor, "pear")
    clock.forward(seconds=100)
    return yes("apple" in cart.cart(visitor))
