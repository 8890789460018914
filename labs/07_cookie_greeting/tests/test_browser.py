import contextlib
import sqlite3
import time

import pytest
from django.conf import settings

from labkit.testing.lab_server import LabServer
from tests.contract import GreetingInChromium


@pytest.fixture(scope="module")
def shop():
    """Serve the lab on another port, where it accepts two more hosts."""
    server = LabServer(settings.FOLDER, migrate=False, environ={"LAB_HOSTS": ".shop.example"})
    yield server
    server.stop()


def on_disk(profile):
    """Return {name: whether it is persistent} for the cookies in a closed browser's database."""
    with contextlib.closing(sqlite3.connect(profile / "Default" / "Cookies")) as database:
        rows = database.execute("SELECT name, is_persistent FROM cookies").fetchall()
    return {name: bool(persistent) for name, persistent in rows}


class TestGreetingInChromium(GreetingInChromium):
    @pytest.mark.claim("C30")
    def test_a_temporary_cookie_goes_with_the_browser(self, chromium, server, tmp_path):
        self.greet(chromium.page, server, "Anu", "until I close the browser")
        assert chromium.cookies()["name_07"]["expires"] == -1
        chromium.close()
        # The browser stores the cookie on disk with all others, but marks it as not persistent.
        assert on_disk(tmp_path / "profile")["name_07"] is False
        assert self.name(chromium.open(), server) is None

    @pytest.mark.claim("C31")
    def test_a_permanent_cookie_outlives_the_browser_and_its_end_is_noted(
        self, chromium, server, tmp_path
    ):
        self.greet(chromium.page, server, "Anu", "for 3 minutes")
        assert 150 < chromium.cookies()["name_07"]["expires"] - time.time() <= 180
        chromium.close()
        assert on_disk(tmp_path / "profile")["name_07"] is True
        assert self.name(chromium.open(), server) == "Anu"

    @pytest.mark.claim("C10", "C26")
    def test_a_script_makes_a_cookie_and_does_not_see_the_servers_own(self, chromium, server):
        page = chromium.page
        page.goto(server.url("/result/"))
        page.evaluate("document.cookie = 'name_07=Eve; path=/'")  # no server set it
        assert self.name(page, server) == "Eve"
        assert "name_07" in page.evaluate("document.cookie")
        self.greet(page, server, "Anu", "for 3 minutes")
        assert "name_07" not in page.evaluate("document.cookie")
        page.evaluate("document.cookie = 'name_07=Eve; path=/'")
        assert self.name(page, server) == "Anu"

    @pytest.mark.claim("C11")
    def test_a_cookie_goes_back_to_its_own_host_and_to_any_port(self, chromium, server, shop):
        page = chromium.page
        self.greet(page, shop, "Anu", "for 3 minutes", "shop.example")
        assert self.name(page, shop, "shop.example") == "Anu"
        assert self.name(page, shop, "www.shop.example") is None
        assert self.name(page, shop) is None
        self.greet(page, server, "Bela", "for 3 minutes")
        assert server.port != shop.port
        assert self.name(page, shop) == "Bela"
