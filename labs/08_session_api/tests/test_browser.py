import pytest

from lab.operations import LABELS


class ApiInChromium:
    """Tests that need a real browser."""

    def press(self, page, server, *names):
        if not page.url.endswith("/api/"):
            page.goto(server.url("/api/"))
        for name in names:
            page.locator(f"button[value={name}]").click()
            page.get_by_role("heading", name=LABELS[name], exact=True).wait_for()
            page.wait_for_load_state()

    def after(self, page, key):
        return page.locator("tbody tr", has_text=key).locator("td").last.text_content()


class TestApiInChromium(ApiInChromium):
    def test_a_person_sets_gets_deletes_and_reloads(self, chromium, server):
        page = chromium.page
        page.goto(server.url("/"))
        page.locator("main a[href='/student/get/']").click()
        page.locator("[data-empty] a[href='/student/set/']").click()
        page.get_by_label("Name").fill("Asha")
        page.get_by_label("E-mail").fill("asha@example.org")
        page.keyboard.press("Enter")
        page.wait_for_url("**/student/get/")
        page.reload()
        assert page.locator("dd").all_text_contents() == ["Asha", "asha@example.org"]
        page.locator("form[action='/student/delete/'] button").click()
        page.reload()
        assert page.locator("dd[data-missing]").count() == 1
        assert page.locator("dd:not([data-missing])").all_text_contents() == ["asha@example.org"]

    def test_the_cookie_is_sent_anew_with_a_save_and_dropped_by_flush(self, chromium, server):
        page = chromium.page
        self.press(page, server, "assign")
        first = chromium.cookies()["sessionid_08"]
        assert first["httpOnly"]
        assert first["sameSite"] == "Lax"
        self.press(page, server, "get", "change_inside", "keys")
        assert chromium.cookies()["sessionid_08"] == first
        self.press(page, server, "clear")
        saved = chromium.cookies()["sessionid_08"]
        assert saved["expires"] > first["expires"]
        assert saved["value"] == first["value"]
        self.press(page, server, "cycle_key")
        assert chromium.cookies()["sessionid_08"]["value"] != first["value"]
        self.press(page, server, "flush")
        assert "sessionid_08" not in chromium.cookies()

    def test_a_reload_presses_the_button_again(self, chromium, server):
        page = chromium.page
        self.press(page, server, "put_cart", "change_and_say_so")
        assert self.after(page, "cart") == "{'tea': 2}"
        page.reload()
        assert self.after(page, "cart") == "{'tea': 3}"

    @pytest.mark.parametrize("width", [320, 1280])
    def test_what_came_of_it_is_in_sight_and_no_page_scrolls_sideways(
        self, chromium, server, width
    ):
        page = chromium.page
        page.set_viewport_size({"width": width, "height": 640})
        page.goto(server.url("/student/set/"))
        page.get_by_label("Name").fill("W" * 40)
        page.get_by_label("E-mail").fill("w" * 60 + "@example.org")
        page.get_by_role("button", name="Set").click()
        self.press(page, server, "kinds", "as_list")
        # The result gets the focus after the stylesheets have loaded.
        page.locator("#result:focus").wait_for()
        box = page.locator("#result").bounding_box()
        assert 0 <= box["y"] <= 640 - box["height"]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for path in ("/", "/student/set/", "/student/get/", "/api/"):
            page.goto(server.url(path))
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
