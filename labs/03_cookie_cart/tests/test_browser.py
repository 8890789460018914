import time

from labkit.testing.contracts import CartInChromium


class TestCartInChromium(CartInChromium):
    def test_what_does_the_browser_hold(self, chromium, server):
        self.add(chromium.page, server, "red apple", 3)
        cookie = chromium.cookies()["cart_03_red%20apple"]
        assert cookie["value"] == "3"
        assert 0 < cookie["expires"] - time.time() <= 120
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Lax"
