"""The cart is one entry of the session. Django loads and saves only the whole session."""

from lab.forms import ITEM
from labkit.base.notices import ALTERED_CART


def load(request):
    """Return the goods in this visitor's cart: {name: quantity}."""
    stored = request.session.get("cart")
    if not isinstance(stored, dict):
        return {}
    return {name: quantity for name, quantity in stored.items() if is_valid(name, quantity)}


def is_valid(name, quantity):
    """Return whether this lab could have stored this item. Other programs may store anything."""
    return bool(ITEM.match(name)) and type(quantity) is int and 0 < quantity < 1_000_000


def notice(request):
    """Return what is wrong with the stored cart, or None."""
    return None if load(request) == request.session.get("cart", {}) else ALTERED_CART


def add_one(request, goods_read, name):
    """Add one item to the goods that the view read. Django or locked() saves the session later."""
    request.session["cart"] = goods_read | {name: goods_read.get(name, 0) + 1}


def clear(request):
    """Remove everything."""
    # Store {} instead of deleting the entry: Django would delete an empty session, and each tab
    # would then create a new one.
    request.session["cart"] = {}
