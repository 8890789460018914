import pytest

ANSWERS = {"Your name:": "अनु", "Your age:": "30", "Your good friend's name:": "Bea"}


class TestWizardInChromium:
    def fill_in(self, page, server, carrier, **changed):
        page.goto(server.url(f"/{carrier}/name/"))
        for label, answer in (ANSWERS | changed).items():
            page.get_by_label(label).fill(answer)
            page.get_by_role("button", name="Continue").click()

    def told(self, page):
        page.wait_for_load_state()
        return page.locator("tbody td:nth-child(2)").all_text_contents()

    def test_a_person_answers_three_questions_by_each_carrier(self, chromium, server):
        page = chromium.page
        page.goto(server.url("/"))
        for carrier in ("cookie", "session", "hidden", "key_in_url"):
            page.locator(f"main a[href='/{carrier}/name/']").click()
            for label, answer in ANSWERS.items():
                page.get_by_label(label).fill(answer)
                page.keyboard.press("Enter")
            page.locator("[data-results]").wait_for()
            assert self.told(page) == list(ANSWERS.values())
            page.get_by_role("button", name="Change: Your age").click()
            assert page.get_by_label("Your age:").input_value() == "30"
            page.get_by_role("button", name="Start again").click()
            assert page.get_by_label("Your name:").input_value() == ""
            page.goto(server.url("/"))

    @pytest.mark.claim("C05")
    def test_with_cookies_blocked_the_page_carries_and_a_cookie_cannot(self, chromium, server):
        page = chromium.block_cookies()
        for carrier in ("hidden", "key_in_url"):
            self.fill_in(page, server, carrier)
            assert self.told(page) == list(ANSWERS.values())
        for carrier in ("cookie", "session"):
            page.goto(server.url(f"/{carrier}/name/"))
            assert "sessionid" not in page.content()
            page.get_by_label("Your name:").fill("Anu")
            page.get_by_role("button", name="Continue").click()
            assert page.locator("[data-cause=no-cookie]").is_visible()
            assert "w=" not in page.url
        assert chromium.cookies() == {}

    def test_the_back_button_of_the_browser_finds_earlier_answers(self, chromium, server):
        page = chromium.page
        for carrier in ("cookie", "session", "key_in_url"):
            page.goto(server.url(f"/{carrier}/name/"))
            for label in ("Your name:", "Your age:"):
                page.get_by_label(label).fill(ANSWERS[label])
                page.get_by_role("button", name="Continue").click()
            page.get_by_label("Your good friend's name:").wait_for()
            page.go_back()
            assert page.get_by_label("Your age:").input_value() == "30"
            page.get_by_label("Your age:").fill("31")
            page.get_by_role("button", name="Continue").click()
            page.get_by_label("Your good friend's name:").wait_for()
            assert self.told(page) == ["अनु", "31"]

    def test_what_a_link_tells_the_next_page_is_up_to_the_policy_of_this_one(
        self, chromium, server
    ):
        page = chromium.page
        self.fill_in(page, server, "key_in_url")
        page.locator("a[href^='/key_in_url/leaks/']").click()
        leaks = page.url
        key = leaks.partition("w=")[2]
        told = {}
        for policy in ("same-origin", "", "unsafe-url"):
            for site in ("this", "another"):
                page.goto(f"{leaks.partition('?')[0]}?policy={policy}&w={key}")
                page.locator(f"[data-site={site}]").click()
                page.wait_for_url("**/referer/")
                told[policy, site] = page.locator("[data-referer]").all_text_contents()
        here = server.url("/")
        full = {
            p: [f"{here}key_in_url/leaks/?policy={p}&w={key}"]
            for p in ("same-origin", "unsafe-url")
        }
        assert told["same-origin", "this"] == full["same-origin"]
        assert told["same-origin", "another"] == []
        assert told["", "this"] == [f"{here}key_in_url/leaks/?policy=&w={key}"]
        assert told["", "another"] == [here]  # by default, browsers send only the origin
        assert told["unsafe-url", "another"] == full["unsafe-url"]

    def test_no_page_scrolls_sideways_on_a_narrow_phone(self, chromium, server):
        page = chromium.page
        page.set_viewport_size({"width": 320, "height": 640})
        self.fill_in(page, server, "key_in_url", **{"Your name:": "W" * 40})
        leaks = "/key_in_url/leaks/?w=" + "a" * 32
        for address in (page.url, "/", "/cookie/name/", leaks, "/referer/"):
            page.goto(address if address.startswith("http") else server.url(address))
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, address
