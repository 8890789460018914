from pathlib import Path

import pytest
from django.conf import settings

from labkit.testing.chromium import page_says
from labkit.testing.lab_server import LabServer

DOMAIN = """
from lab.settings import *
SESSION_COOKIE_DOMAIN = "shop.example"
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Serve the lab at shop.example and its subdomains, with one session cookie for all of them."""
    folder = tmp_path_factory.mktemp("settings")
    Path(folder, "shop_settings.py").write_text(DOMAIN, encoding="utf-8")
    environ = {
        "PYTHONPATH": str(folder),
        "DJANGO_SETTINGS_MODULE": "shop_settings",
        "LAB_HOSTS": ".shop.example",
    }
    server = LabServer(settings.FOLDER, migrate=True, environ=environ)
    yield server
    server.stop()


def log_in(page, address):
    page.goto(address)
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill("lovelace")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda url: not url.endswith("/login/"))


def logged_in(page, address=None):
    if address:
        page.goto(address)
    page.wait_for_load_state()
    return page.locator("dd[data-fact=user] [data-value]").all_text_contents() == ["ada"]


class TestLoginInChromium:
    @pytest.mark.claim("C09")
    def test_a_person_shops_logs_in_and_logs_out(self, chromium, server):
        page = chromium.page
        page.goto(server.url("/"))
        page.get_by_label("Name").fill("red apple")
        page.get_by_role("button", name="Add").click()
        before = chromium.cookies()["sessionid_11"]["value"]
        assert before in page_says(page)
        page.locator("main a[href='/login/']").click()
        log_in(page, page.url)
        assert logged_in(page)
        assert page.locator("tbody th").text_content() == "red apple"
        cookie = chromium.cookies()["sessionid_11"]
        assert cookie["value"] != before
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
        page.locator("form[action='/logout/'] button").click()
        page.locator("[data-empty]").wait_for()
        assert not logged_in(page)
        assert "sessionid_11" not in chromium.cookies()

    @pytest.mark.claim("C78")
    def test_a_cookie_domain_is_for_subdomains_and_nothing_else(self, chromium, shop):
        page = chromium.page
        log_in(page, shop.url("/login/", "shop.example"))
        assert logged_in(page)
        assert logged_in(page, shop.url("/", "www.shop.example"))
        assert not logged_in(page, shop.url("/"))
        log_in(page, shop.url("/login/"))  # at 127.0.0.1
        assert not logged_in(page)
        assert [
            cookie["domain"] for cookie in chromium.cookies().values() if cookie["httpOnly"]
        ] == [".shop.example"]

    @pytest.mark.claim("C79")
    def test_an_old_cookie_of_the_host_alone_is_sent_before_the_new_one(self, chromium, shop):
        page = chromium.page
        page.goto(shop.url("/", "shop.example"))
        old = "a" * 32
        page.evaluate(f"document.cookie = 'sessionid_11={old}; path=/'")
        log_in(page, shop.url("/login/", "shop.example"))
        with page.expect_request("**/") as request:
            page.goto(shop.url("/", "shop.example"))
        sent = request.value.all_headers()["cookie"].split("; ")
        keys = [pair for pair in sent if pair.startswith("sessionid_11=")]
        assert len(keys) == 2
        assert keys[0] == f"sessionid_11={old}"
        assert logged_in(page)

    @pytest.mark.pitfall("B38")
    def test_two_hundred_cookies_push_out_the_login_and_fifty_do_not(self, chromium, server):
        page = chromium.page
        log_in(page, server.url("/login/"))
        # Set cookies as an application on another port could, because cookies ignore ports.
        # Chromium stores them with a delay, so wait until they are stored.
        script = """count => {
            for (let n = 0; n < count; n++) document.cookie = `item${n}=1`
            return document.cookie.split("; ").length
        }"""
        assert page.evaluate(script, 50) == 51  # and the CSRF cookie
        assert logged_in(page, server.url("/"))
        assert page.evaluate(script, 200) < 180
        assert not logged_in(page, server.url("/"))
        assert "sessionid_11" not in chromium.cookies()

    def test_no_page_scrolls_sideways_on_a_narrow_phone(self, chromium, server):
        page = chromium.page
        page.set_viewport_size({"width": 320, "height": 640})
        log_in(page, server.url("/login/"))
        page.get_by_label("Name").fill("W" * 40)
        page.get_by_label("Quantity").fill("999")
        page.get_by_role("button", name="Add").click()
        assert "W" * 40 in page_says(page, "tbody")
        for path in ("/", "/login/", "/logout/"):
            page.goto(server.url(path))
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
