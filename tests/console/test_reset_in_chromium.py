"""After a reset, Chromium has no cookie of the lab, and still has those of every other lab."""

import pytest
from lab_use import cookies_of, submit_one, use
from serving import copy_of, serving

HOSTS = ["127.0.0.1", "localhost"]
LIMITS = "07-limits.localhost"
CONSOLE = "csrftoken_console"


@pytest.fixture(scope="module")
def house(checkout, tmp_path_factory):
    """All labs and the console."""
    folder = copy_of(checkout, tmp_path_factory.mktemp("console"))
    with serving(folder) as house:
        yield house


@pytest.fixture(scope="module")
def jar(house, checkout, shared_chromium):
    """The cookies that Chromium has after each lab has been used at both host names."""
    with shared_chromium.new_context(locale="en") as context:
        page = context.new_page()
        for host in HOSTS:
            for lab in checkout.labs:
                use(page, house.url("/", int(lab.number), host), set_by(lab.number, host))
        for key in [set_by(lab.number, host) for lab in checkout.labs for host in HOSTS]:
            assert any(map(key, cookies_of(page)))
        return context.cookies()


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def scripts(request):
    return request.param


@pytest.fixture
def page(shared_chromium, scripts, jar):
    """A page in a new window that has all these cookies."""
    with shared_chromium.new_context(java_script_enabled=scripts, locale="en") as context:
        # Without their expiry, since lab 03's last for two minutes only.
        context.add_cookies([{**cookie, "expires": -1} for cookie in jar])
        yield context.new_page()


def is_of(number, key):
    """Return whether this lab has set the cookie (host, name, path)."""
    host, name, path = key
    return f"_{number}" in name or (host == LIMITS and path == "/limits/" and number == "07")


def set_by(number, host):
    """Return a predicate: whether a cookie is one that this lab's views have set at this host."""
    return lambda key: key[0] == host and is_of(number, key) and not key[1].startswith("csrf")


def try_limits(page, house):
    """Set a cookie with Path=/limits/ at lab 07's own host name, and one of lab 03 there."""
    page.goto(house.url("/limits/give/?trial=4096-bytes", 7, LIMITS))
    page.goto(house.url("/add/", 3, LIMITS))
    submit_one(page)
    assert (LIMITS, "limit_big", "/limits/") in cookies_of(page)


def press_reset(page, name):
    """Press a button in the console, confirm the reset if asked, and wait for the last redirect."""
    place = "#all" if name == "all" else f"#lab-{name}"
    page.locator(place).get_by_role("button").first.click()
    page.locator(f"{place} [data-question], {place} [data-note]").first.wait_for()
    if page.locator(f"{place} [data-question]").count():
        page.locator(f"{place} [data-question] button").click()
    page.wait_for_url(f"**done={name}&expired=1**", timeout=120_000)


def test_the_consoles_reset_expires_only_the_labs_cookies(page, house):
    try_limits(page, house)
    page.goto(house.url())
    left = cookies_of(page)
    for number in ("07", "04"):
        press_reset(page, number)
        assert page.url.startswith(house.url())
        left = {key: value for key, value in left.items() if not is_of(number, key)}
        assert cookies_of(page) == left


@pytest.mark.parametrize("scripts", [False], indirect=True)
def test_the_reset_of_all_expires_all(page, house):
    page.goto(house.url(host="localhost"))
    press_reset(page, "all")
    assert page.url.startswith(house.url(host="localhost"))
    assert {name for _, name, _ in cookies_of(page)} == {CONSOLE}


def reset_in_panel(page, url):
    """Open a page of a lab and its panel, and reset the lab; return the cookies before it."""
    page.goto(url)
    before = cookies_of(page)
    page.locator("a.summary-row").last.click()
    page.locator("form[action$='/reset/'] button").click()
    page.locator("[data-message=reset]").wait_for()
    return before


def test_the_panels_reset_expires_the_labs_cookies_on_its_host(page, house, checkout, scripts):
    for lab in checkout.labs:
        before = reset_in_panel(page, house.url("/", int(lab.number)))
        after = cookies_of(page)
        mine = {key for key in before if is_of(lab.number, key) and key[0] == HOSTS[0]}
        assert mine
        assert {key: before[key] for key in before.keys() - mine} == {
            key: after[key] for key in after.keys() - mine
        }
        if scripts:
            assert not mine & after.keys()
        else:  # the lab's page was loaded in the meantime, and may have set new cookies
            assert not [key for key in mine if before[key] == after.get(key)]


def test_the_panels_reset_finds_cookies_with_another_path(page, house):
    try_limits(page, house)
    reset_in_panel(page, house.url("/", 7, LIMITS))
    after = {name for host, name, _ in cookies_of(page) if host == LIMITS and "07" not in name}
    assert after == {"cart_03_apple", "csrftoken_03"}
