"""The exchange panel as a person at a real browser uses it."""

import re

import pytest
from serving import until

from labkit.testing.chromium import page_says
from labkit.testing.contracts.carts import CartInChromium
from labkit.testing.lab_server import LabServer

cart = CartInChromium()


@pytest.fixture(scope="module")
def shop(checkout):
    lab = checkout.find("04")
    server = LabServer(lab.folder, migrate=True)
    yield server
    server.stop()


def opened(page):
    """The text of the panel below the page."""
    page.locator(".lab-line .panel").wait_for()
    return " ".join(page.text_content(".lab-line .panel").split())


def test_a_class_sees_the_whole_exchange_moves_the_clock_tampers_and_resets(chromium, shop):
    page = chromium.page
    cart.add(page, shop, "apple", 3)
    page.get_by_role("link", name="POST /add/: 302, session created").click()
    said = opened(page)
    key = chromium.cookies()["sessionid_04"]["value"]
    for told in (
        "csrftoken_04",  # sent
        "Created and saved, since it was changed",  # done
        "{'apple': 3}",
        f"Row in django_session{key}",  # stored
        "Sets sessionid_04, this lab's session key",  # answered
        "of 120 seconds left",
        "Browser to server: POST /add/",  # as a picture, and as text
        "302 to /display/",
    ):
        assert told in said
    assert page.url.endswith("/display/")

    # It stays open from page to page.
    page.get_by_role("link", name="Start").click()
    assert "GET /" in opened(page)

    page.get_by_role("button", name="+2 minutes").click()
    assert "The browser's did not" in page_says(page)
    page.goto(shop.url("/display/"))
    assert "no items" in page_says(page)
    assert "sessionid_04" in page.text_content(".lab-line .panel")  # it came along all the same
    page.get_by_role("button", name="Back to now").click()

    cart.add(page, shop, "pear", 1)
    opened(page)
    page.get_by_label("Entry", exact=True).select_option("cart")
    page.get_by_label("New value, as JSON").fill('{"pear": 99}')
    page.locator("form[action$='/entry/']").get_by_role("button", name="Change it").click()
    page.get_by_role("link", name="Open the page again").click()
    assert cart.goods(page) == {"pear": 99}
    opened(page)
    page.get_by_label("Cookie", exact=True).select_option("sessionid_04")
    page.get_by_label("New value", exact=True).fill("x" * 32)
    page.locator("form[action$='/cookie/']").get_by_role("button", name="Change it").click()
    page.goto(shop.url("/display/"))
    assert "a session key that opens nothing" in page_says(page)

    cart.add(page, shop, "plum", 1)
    opened(page)
    page.get_by_role("button", name="Reset this lab").click()
    page.wait_for_url(shop.url("/"))
    assert "Your cart is empty" in page_says(page)
    assert "sessionid_04" not in chromium.cookies()


def test_it_is_all_there_by_keyboard_and_without_scripts(chromium, shop):
    page = chromium.page
    cart.add(page, shop, "apple", 3)
    link = page.locator(".lab-line a")
    link.focus()
    page.keyboard.press("Enter")
    opened(page)
    assert link.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Enter")
    page.locator(".lab-line .panel").wait_for(state="detached")
    page.goto(shop.url(link.get_attribute("href")))  # where it leads without scripts
    for part in range(1, 6):
        assert page.get_by_role("heading", name=re.compile(f"^{part} ")).count() >= 1
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_however_often_it_is_pressed_while_it_is_fetched_there_is_one(chromium, shop):
    page = chromium.page
    held = []

    def hold(route):
        held.append(route)

    page.route("**/__lab__/exchange/**", hold)
    page.goto(shop.url("/"))
    for _ in range(3):  # open, close, open
        page.locator(".lab-line a").click()
    until(lambda: page.wait_for_timeout(20) or len(held) == 2)
    for route in held:
        with page.expect_event("requestfinished"):
            route.continue_()
    opened(page)
    assert page.locator(".lab-line .panel").count() == 1


def test_one_that_cannot_be_fetched_can_be_asked_for_again(chromium, shop):
    page = chromium.page
    page.goto(shop.url("/"))
    with page.expect_event("requestfailed"):
        page.route("**/__lab__/exchange/**", lambda route: route.abort())
        page.locator(".lab-line a").click()
    page.unroute("**/__lab__/exchange/**")
    page.locator(".lab-line:not([data-open])").wait_for()
    page.locator(".lab-line a").click()
    assert "GET /" in opened(page)  # and no script error: the fixture looks for them


@pytest.mark.parametrize("scripts", [True, False])
def test_the_controls_work_again_and_again_on_the_panels_own_page(chromium, shop, scripts):
    chromium.page.goto(shop.url("/"))
    context = chromium.page.context.browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    cart.add(page, shop, "apple", 3)
    page.goto(shop.url(page.locator(".lab-line a").get_attribute("href")))
    for button in ("+1 minute", "+1 minute", "Back to now"):
        page.get_by_role("button", name=button).click()
        page.wait_for_load_state()
        assert "The server's clock" in page.get_by_role("status").text_content()
    page.get_by_role("button", name="Reset this lab").click()
    assert "Your cart is empty" in page_says(page)
    context.close()
