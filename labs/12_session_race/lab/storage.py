"""The cart is one entry of the session, which is loaded as a whole and saved as a whole."""


def load(request):
    """Return the goods in this visitor's cart: {name: quantity}."""
    return request.session.get("cart", {})


def add_one(request, goods_read, name):
    """Add one to what was read (in memory; the middleware or locked() saves it)."""
    request.session["cart"] = goods_read | {name: goods_read.get(name, 0) + 1}


def clear(request):
    """Take everything out."""
    # Store {} instead of deleting the entry: Django deletes an empty session, and each tab
    # would then create another.
    request.session["cart"] = {}
