"""The exchange panel as a person at a real browser uses it."""

import re

import pytest
from serving import until

from labkit.panel import instructor_controls
from labkit.testing.contracts.carts import CartInChromium
from labkit.testing.lab_server import LabServer

cart = CartInChromium()


@pytest.fixture(scope="module")
def shop(checkout):
    lab = checkout.find("04")
    server = LabServer(lab.folder, migrate=True)
    yield server
    server.stop()


def open_panel(page):
    """The panel below the page, once it is there."""
    panel = page.locator(".summary-bar .panel")
    panel.wait_for()
    return panel


def requests_in(panel):
    """The request lines in the panel's list of messages."""
    return [item.text_content() for item in panel.locator("li[data-from='0']").all()]


def press(page, control, **pressed):
    """Press the button of one of the panel's forms, by its name and value if it has several."""
    ((name, value),) = pressed.items() or [("", "")]
    button = f"button[name='{name}'][value='{value}']" if name else "button:not([name])"
    page.locator(f"form[action$='/{control}/'] {button}").click()


def test_an_instructor_sees_the_exchange_and_uses_the_controls(chromium, shop):
    page = chromium.page
    cart.add(page, shop, "apple", 3)
    page.locator(".summary-row:has([data-request='POST /add/'][data-session='created'])").click()
    panel = open_panel(page)
    key = chromium.cookies()["sessionid_04"]["value"]
    for part in (
        "[data-table=cookies] tr[data-owner=csrf]",  # what the browser sent
        "[data-session=created][data-cause=modified]",  # what the server did
        "[data-table=session] tr[data-change=new]:has-text(\"{'apple': 3}\")",
        f"[data-stored=row]:has-text('{key}')",  # what is stored
        "[data-cookie=sessionid_04][data-owner=session] [data-whole='120']",  # what it responded
        "li[data-from='0']:has-text('POST /add/')",  # all of it, as text
        "svg:has-text('302 to /display/')",  # and as a picture
    ):
        assert panel.locator(part).count() > 0, part
    assert page.url.endswith("/display/")

    # It stays open from page to page.
    page.locator("nav a[href='/']").first.click()
    page.wait_for_url(shop.url("/"))
    assert "GET /" in requests_in(open_panel(page))[0]

    press(page, "clock", by="120")
    assert instructor_controls.STEPS["120"] in page.get_by_role("status").text_content()
    page.goto(shop.url("/display/"))
    assert cart.goods(page) == {}
    assert open_panel(page).locator("[data-table=cookies] [data-owner=session]").count() == 1
    press(page, "clock", by="now")
    page.get_by_role("status").wait_for()

    cart.add(page, shop, "pear", 1)
    entry = open_panel(page).locator("form[action$='/entry/']")
    entry.locator("[name=entry]").select_option("cart")
    entry.locator("[name=value]").fill('{"pear": 99}')
    press(page, "entry")
    page.get_by_role("status").get_by_role("link").click()
    assert cart.goods(page) == {"pear": 99}
    cookie = open_panel(page).locator("form[action$='/cookie/']")
    cookie.locator("[name=cookie]").select_option("sessionid_04")
    cookie.locator("[name=value]").fill("x" * 32)
    press(page, "cookie")
    page.goto(shop.url("/display/"))
    assert cart.goods(page) == {}

    cart.add(page, shop, "plum", 1)
    open_panel(page)
    press(page, "reset")
    page.wait_for_url(shop.url("/"))
    assert "sessionid_04" not in chromium.cookies()


def test_the_panel_works_by_keyboard_and_without_scripts(chromium, shop):
    page = chromium.page
    cart.add(page, shop, "apple", 3)
    link = page.locator(".summary-row")
    link.focus()
    page.keyboard.press("Enter")
    open_panel(page)
    assert link.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Enter")
    page.locator(".summary-bar .panel").wait_for(state="detached")
    page.goto(shop.url(link.get_attribute("href")))  # where it leads without scripts
    for part in range(1, 6):
        assert page.get_by_role("heading", name=re.compile(f"^{part} ")).count() >= 1
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_pressing_repeatedly_while_fetching_opens_one_panel(chromium, shop):
    page = chromium.page
    held = []

    def hold(route):
        held.append(route)

    page.route("**/__lab__/exchange/**", hold)
    page.goto(shop.url("/"))
    for _ in range(3):  # open, close, open
        page.locator(".summary-row").click()
    until(lambda: page.wait_for_timeout(20) or len(held) == 2)
    for route in held:
        with page.expect_event("requestfinished"):
            route.continue_()
    open_panel(page)
    assert page.locator(".summary-bar .panel").count() == 1


def test_a_panel_that_failed_to_load_can_be_reopened(chromium, shop):
    page = chromium.page
    page.goto(shop.url("/"))
    with page.expect_event("requestfailed"):
        page.route("**/__lab__/exchange/**", lambda route: route.abort())
        page.locator(".summary-row").click()
    page.unroute("**/__lab__/exchange/**")
    page.locator(".summary-bar:not([data-open])").wait_for()
    page.locator(".summary-row").click()
    # No script error either: the fixture looks for them.
    assert "GET /" in requests_in(open_panel(page))[0]


@pytest.mark.parametrize("scripts", [True, False])
def test_the_controls_work_repeatedly_on_the_panels_page(chromium, shop, scripts):
    chromium.page.goto(shop.url("/"))
    context = chromium.page.context.browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    cart.add(page, shop, "apple", 3)
    page.goto(shop.url(page.locator(".summary-row").get_attribute("href")))
    for step, message in (
        ("60", instructor_controls.STEPS["60"]),
        ("300", instructor_controls.STEPS["300"]),
        ("now", instructor_controls.CLOCK_IS_REAL),
    ):
        press(page, "clock", by=step)
        page.get_by_role("status").filter(has_text=message).wait_for()
    press(page, "reset")
    page.wait_for_url(shop.url("/"))
    page.goto(shop.url("/display/"))
    assert cart.goods(page) == {}
    context.close()
