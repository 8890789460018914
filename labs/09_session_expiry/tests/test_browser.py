import time

import pytest
from django.conf import settings

from lab.facts import UNKNOWN_KEY
from labkit.testing.lab_server import LabServer
from tests.contract import COOKIE, ExpiryInChromium


class TestExpiryInChromium(ExpiryInChromium):
    @pytest.mark.claim("C67", "C85")
    def test_closing_the_browser_ends_the_cookie_and_not_the_row(self, chromium, server):
        self.choose(chromium.page, server, "0")
        cookie = chromium.cookies()[COOKIE]
        assert cookie["expires"] == -1
        page = chromium.close_and_reopen()
        page.goto(server.url("/"))
        assert self.chosen(page) == ""
        assert COOKIE not in chromium.cookies()
        page.goto(server.url("/rows/"))
        row = page.locator("tr", has=page.get_by_text(cookie["value"][:6])).text_content()
        assert "seconds left" in row
        assert "yours" not in row
        page.context.add_cookies([cookie])
        page.goto(server.url("/"))
        assert self.chosen(page) == "0: when the browser closes"

    @pytest.mark.claim("C67")
    def test_seconds_outlive_the_browser_which_notes_their_end(self, chromium, server):
        self.choose(chromium.page, server, "120")
        page = chromium.close_and_reopen()
        page.goto(server.url("/"))
        assert self.chosen(page).startswith("120")
        assert 0 < chromium.cookies()[COOKIE]["expires"] - time.time() <= 120

    @pytest.mark.claim("C86")
    def test_a_cookie_that_lasts_and_a_server_that_forgets(self, chromium):
        environ = {"SESSION_ENGINE": "django.contrib.sessions.backends.cache"}
        forgetful = LabServer(settings.FOLDER, migrate=False, environ=environ)
        try:
            self.choose(chromium.page, forgetful, "none")
            page = chromium.close_and_reopen()
            page.goto(forgetful.url("/"))
            assert self.chosen(page) == "None: as the settings say"
            forgetful.kill()
            forgetful.start()
            assert COOKIE in chromium.cookies()
            page.reload()
            assert page.locator(".notice").text_content() == UNKNOWN_KEY
        finally:
            forgetful.stop()
