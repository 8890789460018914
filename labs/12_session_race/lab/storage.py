"""The goods are one entry of the session, which is loaded as a whole and saved as a whole."""


def load(request):
    """Return the goods in this visitor's cart: {name: quantity}."""
    return request.session.get("cart", {})


def put(request, goods, name):
    """Keep these goods and one more of this name."""
    request.session["cart"] = goods | {name: goods.get(name, 0) + 1}


def clear(request):
    """Take everything out."""
    # An empty cart is something as well: the session stays, and all tabs share it.
    request.session["cart"] = {}
