"""Perform the items of the handouts' "Try" sections in Chromium.

TRY lists each item with the textbook version that its recorded test must detect, or with the reason
why none can. Steps that no browser takes, such as editing a file or stopping a server, are left
out. Where an item waits, the panel moves the server's clock.
"""

from collections.abc import Callable
from dataclasses import dataclass

ONLY_HEAD = "the lab's only version differs in its response to HEAD"
ONLY_LIMIT = "the lab's only version differs in the size of the cookie"


class Tab:
    """A page in Chromium, in a window with separate cookies."""

    def __init__(self, browser, server, host="127.0.0.1"):
        self._browser, self.server, self.host = browser, server, host
        self.windows = [self]  # all windows of this item
        self.has_moved = False  # whether the server's clock is ahead
        self.context = browser.new_context()
        self.context.set_default_timeout(30_000)
        self.page = self.context.new_page()

    def window(self, host="127.0.0.1"):
        """Open a private window, with separate cookies."""
        other = Tab(self._browser, self.server, host)
        self.windows.append(other)
        return other

    def tab(self):
        """Open another tab, with the same cookies."""
        other = object.__new__(Tab)
        other.__dict__ |= self.__dict__
        other.page = self.context.new_page()
        return other

    def open(self, path, times=1):
        for _ in range(times):
            self.page.goto(self.server.url(path, self.host))

    def press(self, selector):
        with self.page.expect_navigation():
            self.page.click(selector)

    def send(self, button="main form button", **fields):
        """Fill in a form of the open page, and press a button."""
        for name, value in fields.items():
            self.page.fill(f"main [name={name}]", value)
        self.press(button)

    def add(self, name, quantity="1"):
        self.open("/add/")
        self.send(name=name, quantity=quantity)

    def clock(self, step):
        """Move the server's clock by the seconds of one of the panel's buttons, or back to now."""
        self.has_moved = step != "now"
        with self.page.expect_response("**/clock/"):
            self.page.click(f".summary-bar button[value='{step}']")

    def cookie(self, name):
        return next((c for c in self.context.cookies() if c["name"] == name), None)

    def edit(self, name, value):
        cookie = self.cookie(name) or {"name": name, "url": self.server.url("/", self.host)}
        self.context.add_cookies([cookie | {"value": value}])

    def delete(self, name):
        self.context.clear_cookies(name=name)

    def close_browser(self):
        """Delete the session cookies, as closing the browser does."""
        for cookie in self.context.cookies():
            if cookie["expires"] == -1:
                self.delete(cookie["name"])

    def secrets(self):
        """Return the session keys and CSRF tokens of all windows."""
        cookies = [cookie for each in self.windows for cookie in each.context.cookies()]
        return {c["value"] for c in cookies if c["name"].startswith(("sessionid", "csrftoken"))}

    def close(self):
        for each in self.windows:
            each.context.close()


@dataclass(frozen=True)
class Item:
    """An item, such as "04.1"."""

    id: str
    steps: Callable[[Tab], None]
    version: str = ""  # the name of a textbook version of this lab
    why_none: str = ""  # the reason why no version can be detected


TRY: list[Item] = []


def item(number, version="", why_none=""):
    """Register a function as the steps of an item."""
    assert bool(version) != bool(why_none)

    def register(steps):
        TRY.append(Item(number, steps, version, why_none))
        return steps

    return register


# 01 The test cookie


@item("01.1", "deleted-unseen")
def check_twice(tab):
    tab.open("/")
    tab.open("/check/", times=2)


@item("01.2", "no-answer")
def block_cookies(tab):
    for _ in range(2):
        tab.open("/")
        tab.context.clear_cookies()
        tab.open("/check/")
        tab.context.clear_cookies()


@item("01.3", "deleted-unseen")
def delete_the_key(tab):
    tab.open("/")
    tab.delete("sessionid_01")
    tab.open("/check/")


@item("01.5", why_none="no version changes the page that counts visits")
def visit_without_cookies(tab):
    tab.open("/visits/", times=2)
    for _ in range(2):
        with tab.page.expect_response("**/visits/"):
            tab.page.click("main button")
    tab.press("main a[href='/visits/']")


# 02 A page count in a cookie


@item("02.1", why_none="no version loses a count")
def close_the_browser(tab):
    tab.open("/", times=3)
    tab.close_browser()
    tab.open("/")


@item("02.2", "trusted-count")
def invent_a_count(tab):
    tab.open("/")
    for value in ("500", "-7", "abc"):
        tab.edit("count_02", value)
        tab.open("/")


@item("02.4", why_none="no version mixes up two visitors")
def count_in_a_private_window(tab):
    tab.open("/", times=2)
    other = tab.window()
    other.open("/")


# 03 A cart in cookies


@item("03.1", "new-response")
def wait_for_items_to_expire(tab):
    tab.add("red apple")
    tab.delete("cart_03_red%20apple")
    tab.open("/display/")
    for name in ("apple", "pear"):
        tab.clock("60")
        tab.add(name)


@item("03.2", "new-response")
def change_a_quantity(tab):
    tab.add("red apple", "3")
    name = next(c["name"] for c in tab.context.cookies() if c["name"].startswith("cart_"))
    for value in ("500", "-3"):
        tab.edit(name, value)
        tab.open("/display/")


@item("03.4", "new-response")
def put_a_cookie_back(tab):
    tab.add("apple", "3")
    copied = tab.cookie("cart_03_apple")
    tab.send("main form[action='/empty/'] button")
    tab.context.add_cookies([copied])
    tab.open("/display/")


ADD_MANY = """async () => {
  const form = document.querySelector("main form")
  for (let number = 1; number <= 51; number++) {
    form.elements.name.value = `item ${number}`
    await fetch("", {method: "POST", body: new URLSearchParams(new FormData(form))})
  }
}"""


@item("03.5", "no-limit")
def fill_the_cart(tab):
    tab.open("/add/")
    tab.page.evaluate(ADD_MANY)


# 04 A cart in a session


@item("04.1", "until-the-browser-closes")
def only_view_the_cart(tab):
    tab.add("red apple", "3")
    tab.clock("60")
    tab.open("/display/")
    tab.clock("60")
    tab.open("/display/")


@item("04.2", "until-the-browser-closes")
def add_every_minute(tab):
    for name in ("apple", "pear", "plum"):
        tab.add(name)
        tab.clock("60")


@item("04.3", "printed-on-the-console")
def reload_the_details(tab):
    tab.add("apple")
    tab.press("nav a[href='/info/']")
    tab.open("/info/", times=2)


@item("04.4", "session-is-the-cart")
def copy_the_key(tab):
    tab.add("apple", "3")
    other = tab.window()
    other.open("/display/")
    other.edit("sessionid_04", tab.cookie("sessionid_04")["value"])
    other.open("/display/")


@item("04.5", "session-is-the-cart")
def delete_the_row(tab):
    tab.add("apple", "3")
    tab.server.manage("flush", "--noinput", "--verbosity=0")
    tab.open("/display/")


# 05 A wizard


def answer(tab, carrier, **answers):
    for step, value in answers.items():
        if not tab.page.url.endswith(f"/{carrier}/{step}/") and "?" not in tab.page.url:
            tab.open(f"/{carrier}/{step}/")
        tab.send(**{step: value})


@item("05.1", "cookies-that-must-exist")
def block_cookies_in_the_wizard(tab):
    for carrier in ("cookie", "session"):
        tab.open(f"/{carrier}/name/")
        tab.context.clear_cookies()
        tab.open(f"/{carrier}/age/")
        tab.context.clear_cookies()
    tab.open("/key_in_url/name/")
    tab.send(name="Anu")
    tab.send(age="30")


@item("05.2", "whole-session")
def two_tabs(tab):
    other = tab.tab()
    tab.open("/session/name/")
    tab.send(name="Anu")
    other.open("/session/name/")
    other.send(name="Ben")
    tab.send(age="30")
    other.send(age="40")
    tab.open("/hidden/name/")
    tab.send(name="Anu")
    tab.send(age="30")


@item("05.3", "cookies-that-must-exist")
def go_straight_to_a_question(tab):
    for path in ("/cookie/gf/", "/session/results/", "/key_in_url/age/"):
        tab.open(path)


@item("05.4", "cookies-that-must-exist")
def change_the_age(tab):
    tab.open("/cookie/name/")
    tab.send(name="Anu")
    tab.send(age="30")
    for value in ("abc", "99"):
        tab.edit("age_05", value)
        tab.open("/cookie/gf/")


@item("05.5", "parameter-that-must-exist")
def open_the_results_elsewhere(tab):
    tab.open("/key_in_url/name/")
    tab.send(name="Anu")
    tab.send(age="30")
    tab.send(gf="Ben")
    other = tab.window()
    other.page.goto(tab.page.url)
    other.press("main a[href^='/key_in_url/leaks/']")
    other.press("main a[data-site=this]")


@item("05.6", "whole-session")
def wait_at_question_3(tab):
    tab.open("/session/name/")
    tab.send(name="Anu")
    tab.send(age="30")
    tab.clock("300")
    tab.clock("300")
    tab.send(gf="Ben")


# 06 A page count in a session


@item("06.1", why_none=ONLY_HEAD)
def reload_every_few_minutes(tab):
    tab.open("/")
    for _ in range(2):
        tab.clock("120")
        tab.open("/")


@item("06.3", why_none=ONLY_HEAD)
def change_the_key(tab):
    tab.open("/", times=2)
    key = tab.cookie("sessionid_06")["value"]
    tab.edit("sessionid_06", ("a" if key[0] != "a" else "b") + key[1:])
    tab.open("/")
    tab.edit("sessionid_06", key)
    tab.open("/")


@item("06.5", why_none=ONLY_HEAD)
def prefetch(tab):
    tab.open("/")
    with tab.page.expect_response(lambda response: response.url.endswith("/")):
        tab.press("nav a[href='/prefetch/']")


# 07 A greeting


def greet(tab, name, remember):
    tab.open("/")
    tab.page.check(f"[name=remember][value='{remember}']")
    tab.send(name=name)


@item("07.1", "token-in-the-url")
def remember_the_name(tab):
    for remember in ("session", "3min"):
        greet(tab, "Anu", remember)
        tab.close_browser()
        tab.open("/result/")


@item("07.2", "token-in-the-url")
def reload_the_greeting(tab):
    greet(tab, "Anu", "3min")
    for step in ("60", "120"):
        tab.clock(step)
        tab.open("/result/")


@item("07.3", "token-in-the-url")
def change_the_name(tab):
    greet(tab, "Anu", "session")
    for value in ("Eve", "", "%ff"):
        tab.edit("name_07", value)
        tab.open("/result/")


@item("07.4", "token-in-the-url")
def set_the_name_by_script(tab):
    greet(tab, "Anu", "session")
    tab.press("main form[action='/forget/'] button")
    tab.page.evaluate("document.cookie = 'name_07=Eve; path=/'")
    tab.open("/result/")


@item("07.6", why_none="no version changes the page on limits")
def reach_the_limits(tab):
    there = tab.window("07-limits.localhost")
    for trial in ("4096-bytes", "4097-bytes", "another-path"):
        there.open(f"/limits/give/?trial={trial}")


@item("07.7", "name-as-it-is")
def greet_in_another_script(tab):
    for name in ("Anu", "अनु"):
        greet(tab, name, "session")


# 08 The API of a session


def operate(tab, *names):
    for name in names:
        tab.press(f"main button[value='{name}']")


@item("08.1", "get-before-set")
def set_and_get(tab):
    tab.open("/student/set/")
    tab.send(name="Anu", email="anu@shop.example")
    tab.press("main form[action='/student/delete/'] button")
    tab.open("/student/get/")


@item("08.2", why_none="no version changes the page with the buttons")
def change_inside(tab):
    tab.open("/api/")
    operate(tab, "put_cart", "change_inside", "change_inside")
    operate(tab, "change_and_say_so", "change_and_say_so")


@item("08.5", why_none="no version changes the page with the buttons")
def clear_and_flush(tab):
    tab.open("/api/")
    operate(tab, "assign", "clear", "flush")


# 09 The expiry of a session


def choose(tab, policy):
    tab.open("/")
    tab.page.select_option("[name=policy]", policy)
    tab.press("main form[action='/policy/'] button")


@item("09.1", "pickled-sessions")
def read_until_it_expires(tab):
    choose(tab, "120")
    for _ in range(3):
        tab.open("/read/")
        tab.clock("60")


@item("09.2", "pickled-sessions")
def write_every_minute(tab):
    choose(tab, "120")
    for _ in range(3):
        tab.clock("60")
        tab.press("main form[action='/touch/'] button")


@item("09.3", "pickled-sessions")
def write_to_a_fixed_expiry(tab):
    choose(tab, "timedelta")
    for _ in range(3):
        tab.clock("60")
        tab.press("main form[action='/touch/'] button")


@item("09.4", "pickled-sessions")
def put_the_key_back(tab):
    choose(tab, "0")
    copied = tab.cookie("sessionid_09")
    tab.close_browser()
    tab.open("/")
    tab.context.add_cookies([copied])
    tab.open("/")


@item("09.5", "pickled-sessions")
def delete_expired_rows(tab):
    tab.server.manage("flush", "--noinput", "--verbosity=0")
    choose(tab, "120")
    tab.open("/rows/")
    tab.clock("120")
    tab.open("/rows/")
    tab.press("main form[action='/clear-expired/'] button")


# 10 Engines


@item("10.1", why_none=ONLY_LIMIT)
def add_and_open(tab):
    tab.add("apple", "2")
    tab.open("/store/")
    tab.open("/display/")


# 11 A login


def log_in(tab):
    tab.open("/login/")
    tab.send(username="ada", password="lovelace")  # noqa: S106 the login page shows it


def put(tab, name):
    tab.open("/")
    tab.send("main form[action='/add/'] button", name=name, quantity="1")


@item("11.1", "same-key-after-login")
def plant_a_key(tab):
    other = tab.window()
    put(other, "pear")
    tab.open("/")
    tab.edit("sessionid_11", other.cookie("sessionid_11")["value"])
    log_in(tab)
    other.open("/")


@item("11.3", "item-becomes-the-user")
def put_a_key_back_after_logout(tab):
    log_in(tab)
    copied = tab.cookie("sessionid_11")
    tab.press("main form[action='/logout/'] button")
    put(tab, "apple")
    tab.delete("sessionid_11")
    tab.context.add_cookies([copied])
    tab.open("/")


@item("11.4", "same-key-after-login")
def open_logout(tab):
    put(tab, "apple")
    log_in(tab)
    tab.open("/logout/")
    tab.open("/")


@item("11.5", "item-replaces-the-login")
def add_with_an_old_token(tab):
    put(tab, "apple")
    other = tab.tab()
    log_in(other)
    tab.send("main form[action='/add/'] button", name="pear", quantity="1")


@item("11.6", "same-key-after-login")
def log_in_and_lose_the_row(tab):
    put(tab, "apple")
    log_in(tab)
    tab.server.manage("flush", "--noinput", "--verbosity=0")
    tab.open("/")
