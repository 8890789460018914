from labkit.testing.contracts import CartContract


class TestCart(CartContract):
    lifetime = 120
    capacity = 200
