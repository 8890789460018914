import time

from labkit.testing.contracts import CartInChromium


class TestCartInChromium(CartInChromium):
    def test_what_does_the_browser_hold(self, chromium, server):
        self.add(chromium.page, server, "red apple", 3)
        cookie = chromium.cookies()["sessionid_04"]
        assert len(cookie["value"]) == 32
        assert 0 < cookie["expires"] - time.time() <= 120
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Lax"
