import time

import pytest
from django.conf import settings

from lab.notices import UNKNOWN_KEY
from labkit.testing.lab_server import LabServer
from tests.contract import CHOICES, COOKIE, ExpiryInChromium


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
        row = page.locator("tr[data-left]", has=page.get_by_text(cookie["value"][:6]))
        assert int(row.get_attribute("data-left")) > 0
        assert row.get_attribute("data-own") is None
        page.context.add_cookies([cookie])
        page.goto(server.url("/"))
        assert self.chosen(page) == CHOICES["0"]

    @pytest.mark.claim("C67")
    def test_seconds_outlive_the_browser_which_notes_their_end(self, chromium, server):
        self.choose(chromium.page, server, "120")
        page = chromium.close_and_reopen()
        page.goto(server.url("/"))
        assert self.chosen(page) == CHOICES["120"]
        assert 0 < chromium.cookies()[COOKIE]["expires"] - time.time() <= 120

    @pytest.mark.claim("C86")
    def test_a_cookie_that_lasts_and_a_server_that_forgets(self, chromium):
        environ = {"SESSION_ENGINE": "django.contrib.sessions.backends.cache"}
        forgetful = LabServer(settings.FOLDER, migrate=False, environ=environ)
        try:
            self.choose(chromium.page, forgetful, "none")
            page = chromium.close_and_reopen()
            page.goto(forgetful.url("/"))
            assert self.chosen(page) == CHOICES["none"]
            forgetful.kill()
            forgetful.start()
            assert COOKIE in chromium.cookies()
            page.reload()
            assert page.locator(".notice").text_content() == UNKNOWN_KEY
        finally:
            forgetful.stop()
