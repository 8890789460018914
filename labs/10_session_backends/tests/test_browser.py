import time

import pytest
from django.conf import settings

from labkit.testing.contracts import CartInChromium
from labkit.testing.lab_server import LabServer


class TestCartInChromium(CartInChromium):
    # Lab 04 runs these tests with the same forms and the same cookie, so they are left out here.
    test_a_wrong_quantity_is_refused_beside_its_field = None
    test_the_cart_outlives_the_browser = None
    test_with_cookies_blocked_the_page_says_so = None

    def test_what_does_the_browser_hold(self, chromium, server):
        self.add(chromium.page, server, "red apple", 3)
        cookie = chromium.cookies()["sessionid_10"]
        assert len(cookie["value"]) == 32
        assert 0 < cookie["expires"] - time.time() <= 120

    def test_the_wide_table_moves_by_itself_and_with_the_keyboard(self, chromium, server):
        page = chromium.page
        page.set_viewport_size({"width": 320, "height": 640})
        self.add(page, server, "apple", 3)
        for path in ("/store/", "/engines/"):
            page.goto(server.url(path))
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        wide = page.get_by_role("region", name="The engines compared")
        assert wide.evaluate("box => box.scrollWidth > box.clientWidth")
        # Some browsers need this to scroll with the keyboard; Chromium does not.
        assert wide.get_attribute("tabindex") == "0"
        wide.focus()
        page.keyboard.press("End")
        page.keyboard.press("ArrowRight")
        page.wait_for_function("document.querySelector('.wide').scrollLeft > 0")


@pytest.fixture(scope="module")
def cookie_server():
    environ = {"SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies"}
    server = LabServer(settings.FOLDER, migrate=False, environ=environ)
    yield server
    server.stop()


cart = CartInChromium()
SERVER_LETTERS = [chr(0x4E00 + n * 7919 % 20000) for n in range(2400)]  # they hardly compress
NAMES = ["".join(SERVER_LETTERS[n : n + 40]) for n in range(0, 2400, 40)]
# Send the form on this page with one name after another, until it is refused.
FILL = """async names => {
    const form = new FormData(document.querySelector("form"))
    for (const [kept, name] of names.entries()) {
        form.set("name", name)
        const answer = await fetch("", {method: "POST", body: new URLSearchParams(form)})
        if (answer.status === 422) return kept
    }
}"""


@pytest.mark.claim("C29")
@pytest.mark.pitfall("B39")
def test_a_full_cookie_is_refused_before_the_browser_drops_it(chromium, cookie_server):
    page = chromium.page
    page.goto(cookie_server.url("/add/"))
    kept = page.evaluate(FILL, NAMES)
    assert 10 < kept < len(NAMES)
    cart.add(page, cookie_server, NAMES[kept], 1)
    page.locator(".errorlist.nonfield").wait_for()
    page.goto(cookie_server.url("/display/"))
    assert list(cart.goods(page)) == NAMES[:kept]
    cookie = chromium.cookies()["sessionid_10"]
    assert 3700 < len(cookie["name"] + cookie["value"]) <= 4000


@pytest.mark.claim("C48")
def test_a_copied_cookie_brings_an_emptied_cart_back(chromium, cookie_server):
    page = chromium.page
    cart.add(page, cookie_server, "red apple", 3)
    copied = chromium.cookies()["sessionid_10"]
    page.locator("form[action='/empty/'] button").click()
    page.locator("tbody").wait_for(state="detached")
    page.context.add_cookies([copied])
    page.reload()
    assert cart.goods(page) == {"red apple": 3}
