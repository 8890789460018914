"""Test the exchange panel in a real browser."""

import re

import pytest
from serving import until

from labkit.panel import instructor_controls
from labkit.testing.accessibility import cut_off
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
    """Return the panel below the page, once it has loaded."""
    panel = page.locator(".summary-bar .panel")
    panel.wait_for()
    return panel


def requests_in(panel):
    """Return the request lines in the panel's list of messages."""
    return [item.text_content() for item in panel.locator("li[data-from='0']").all()]


def press(page, control, **pressed):
    """Press a form's button in the panel; if there are several forms, name and value select one."""
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
        "li[data-from='0']:has-text('POST /add/')",  # the diagram of the whole exchange
        ".diagram .label:has-text('302 to /display/')",
    ):
        assert panel.locator(part).count() > 0, part
    assert page.url.endswith("/display/")

    # Once the panel is open, it stays open on later pages.
    page.locator("nav a[href='/']").first.click()
    page.wait_for_url(shop.url("/"))
    assert "GET /" in requests_in(open_panel(page))[0]


def visible(page, selector):
    """Check that the whole element is visible without scrolling, and return the element."""
    element = page.locator(selector)
    box = element.bounding_box()
    assert 0 <= box["y"] <= box["y"] + box["height"] <= page.viewport_size["height"], selector
    return element


def said(page, control):
    """Return this control's message, and check that the bar shows it without scrolling."""
    page.locator(f"[role=status][data-message={control}]:not(:empty)").wait_for()
    return visible(page, "[role=status]")


def test_two_clicks_show_the_expired_cart_and_its_row(chromium, shop):
    page = chromium.page
    page.set_viewport_size({"width": 1366, "height": 768})
    cart.add(page, shop, "apple", 3)
    loaded = page.evaluate("performance.timeOrigin")
    visible(page, ".clock button[value='120']").click()
    assert instructor_controls.EXPIRED_ROW in said(page, "clock").text_content()
    visible(page, "[data-server-clock]")
    assert page.evaluate("performance.timeOrigin") == loaded  # the page has stayed
    assert cart.goods(page) == {"apple": 3}
    with page.expect_navigation():
        visible(page, "[role=status] a").click()
    assert cart.goods(page) == {}
    assert instructor_controls.EXPIRED_ROW_SEEN in said(page, "clock").text_content()
    visible(page, ".summary-row [data-key-fate=expired]")
    assert page.evaluate("scrollY") == 0
    assert "?" not in page.url
    page.locator("[data-server-clock] button").click()  # for the next tests
    assert instructor_controls.CLOCK_IS_REAL in said(page, "clock").text_content()


def test_the_controls_stay_on_the_page(chromium, shop):
    page = chromium.page
    page.set_viewport_size({"width": 1366, "height": 768})
    cart.add(page, shop, "pear", 1)
    page.locator(".summary-row").click()
    entry = open_panel(page).locator("form[action$='/entry/']")
    entry.locator("[name=entry]").select_option("cart")
    entry.locator("[name=value]").fill("pear")
    press(page, "entry")
    error = page.locator("[data-invalid=entry]")
    error.wait_for()
    assert instructor_controls.JSON_EXAMPLE in error.text_content()
    field = page.locator("[name=value][aria-invalid]")
    assert field.input_value() == "pear"
    assert field.evaluate("field => field === document.activeElement")
    field.fill('{"pear": 99}')
    press(page, "entry")
    assert "99" in said(page, "entry").text_content()
    # Waits until the panel has been updated.
    page.locator("[data-decoded]:has-text('99')").wait_for()
    step = page.get_by_role("status").get_by_role("link")
    assert step.evaluate("link => link === document.activeElement")
    with page.expect_navigation():
        step.click()
    assert cart.goods(page) == {"pear": 99}

    cookie = open_panel(page).locator("form[action$='/cookie/']")
    cookie.locator("[name=cookie]").select_option("sessionid_04")
    cookie.locator("[name=value]").fill("x" * 32)
    press(page, "cookie")
    said(page, "cookie")
    assert chromium.cookies()["sessionid_04"]["value"] == "x" * 32
    press(page, "reset")
    assert instructor_controls.CLOCK_IS_REAL in said(page, "reset").text_content()
    assert "sessionid_04" not in chromium.cookies()
    assert page.url.endswith("/display/")


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
    page.goto(shop.url(link.get_attribute("href")))  # its target without scripts
    for part in range(1, 6):
        assert page.get_by_role("heading", name=re.compile(f"^{part} ")).count() >= 1
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


# Return elements of the opened panel that extend beyond the window or the panel.
CUT = """() => {
  const panel = document.querySelector(".summary-bar .panel");
  const edge = Math.min(innerWidth, panel.getBoundingClientRect().right) + 1;
  const isShown = (element) => element.checkVisibility() && !element.closest(".unseen");
  return [...panel.querySelectorAll("*")].filter(isShown)
    .filter((element) => element.getBoundingClientRect().right > edge)
    .map((element) => element.outerHTML.slice(0, 80));
}"""
# Return the number of lines that each element with this text takes up.
LINES = """(text) => [...document.querySelectorAll(".panel dd, .panel td")]
  .filter((element) => element.textContent === text)
  .map((element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    return range.getClientRects().length;
  })"""


def test_the_opened_panel_fits_every_screen(chromium, shop):
    page = chromium.page
    page.emulate_media(reduced_motion="reduce")
    cart.add(page, shop, "apple", 3)
    key = chromium.cookies()["sessionid_04"]["value"]
    for width in (390, 1366, 1500, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(shop.url("/display/"))
        if width == 390:  # it then stays open
            page.locator(".summary-row").click()
        panel = open_panel(page)
        assert cut_off(page) == []
        assert page.evaluate(CUT) == []
        assert panel.locator(".lane-2").is_visible()
        lines = page.evaluate(LINES, key)
        assert lines
        assert max(lines) <= 2  # of 32 characters
        text, bar = (page.locator(each).bounding_box() for each in ("main h1", ".summary-bar"))
        assert (text["x"] + text["width"] <= bar["x"]) == (width >= 1500)
        if width >= 1500:  # at this width, the page and the bar are side by side
            assert bar["y"] == 0
            assert bar["height"] <= 900
    assert (
        panel.locator(".life i").first.evaluate("e => getComputedStyle(e).animationName") == "none"
    )


def test_a_panel_below_the_page_scrolls_into_view(chromium, shop):
    page = chromium.page
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(shop.url("/"))
    page.locator(".summary-row").click()
    open_panel(page)
    assert page.locator(".summary-bar").bounding_box()["y"] < 100


def test_the_closed_bar_takes_little_of_any_screen(chromium, shop):
    page = chromium.page
    for width, height in ((390, 844), (1366, 768)):
        page.set_viewport_size({"width": width, "height": height})
        page.goto(shop.url("/display/"))
        visible(page, ".summary-row")
        assert page.locator(".summary-bar").bounding_box()["height"] < 80
    assert page.locator(".clock button[value='60']").is_visible()
    page.set_viewport_size({"width": 390, "height": 256})  # the same size as with a zoom of 400 %
    bar = page.locator(".summary-bar")
    assert bar.evaluate("bar => getComputedStyle(bar).position") == "static"


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
    # At the end of the test, the fixture also checks that there were no script errors.
    assert "GET /" in requests_in(open_panel(page))[0]


def test_the_controls_work_without_scripts(chromium, shop):
    context = chromium.page.context.browser.new_context(java_script_enabled=False)
    page = context.new_page()
    cart.add(page, shop, "apple", 3)
    press(page, "clock", by="120")
    assert page.url.endswith("/display/")
    assert instructor_controls.EXPIRED_ROW in said(page, "clock").text_content()
    page.locator("[data-server-clock] button").click()
    assert instructor_controls.CLOCK_IS_REAL in said(page, "clock").text_content()
    page.locator(".summary-row").click()
    press(page, "reset")
    assert page.url.endswith("/display/")
    said(page, "reset")
    context.close()


def test_a_server_that_has_ended_is_said_in_the_bar(chromium, shop):
    page = chromium.page
    page.goto(shop.url("/"))
    page.route("**/clock/", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        press(page, "clock", by="60")
    said(page, "refused")
