"""Tests that any lab on concurrent adds must pass, if its pages and fields work like lab 12's."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import lxml.html
import pytest
from django.http import HttpResponseBase

from labkit.testing import wire_visitor
from labkit.testing.accessibility import complaints, cut_off
from labkit.testing.contracts import RawRequests, table, text
from labkit.testing.malformed_requests import REQUESTS, TOKEN, Raw

COOKIE = "sessionid_12"
WAYS = ["naive", "locked"]
ADD = {"name": "apple", "delay": 0}
RACE = {"tabs": 2, "delay": 20, "adds": 100, "which_items": "same"}
PATIENCE = 120  # seconds allowed for a race on a busy machine
PRESS = "(button, at) => { setTimeout(() => button.click(), at - Date.now()) }"


def form(name: str, status: int, path: bytes, body: bytes) -> Raw:
    body = b"csrfmiddlewaretoken=" + TOKEN + body
    return Raw(name, status, "POST", path, body=body)


RACE_REQUESTS = [
    form("an item not in the list", 422, b"/naive/add/", b"&delay=0&name=x"),
    form("a number of a tab too long", 422, b"/locked/add/", b"&delay=0&name=tab+123"),
    form("an item with a line after it", 422, b"/naive/add/", b"&delay=0&name=apple%0a"),
    form("a delay not in the list", 422, b"/locked/add/", b"&delay=86400000&name=apple"),
    form("a delay in other digits", 422, b"/naive/add/", "&delay=٠&name=apple".encode()),
    form("no delay", 422, b"/naive/add/", b"&name=apple"),
    form("a race of nothing", 422, b"/naive/race/", b""),
    form("too many tabs", 422, b"/naive/race/", b"&tabs=5000&delay=0&adds=50&which_items=same"),
    form("too long a delay", 422, b"/locked/race/", b"&tabs=2&delay=4000&adds=50&which_items=same"),
    form("too many adds", 422, b"/locked/race/", b"&tabs=2&delay=0&adds=1000000&which_items=same"),
    Raw("an add by GET", 405, path=b"/naive/add/?name=apple&delay=0"),
    Raw("a race by GET", 405, path=b"/locked/race/?tabs=2&delay=0&adds=50&which_items=same"),
]


def kept(response: HttpResponseBase) -> str:
    """Return the result that the page shows in large type, such as "50 of 100"."""
    (line,) = lxml.html.document_fromstring(text(response)).xpath("//*[@data-result]")
    return line.text_content()


def fates(response: HttpResponseBase) -> list[dict[str, Any]]:
    """Return the table of what each tab read and saved, and whether its add was kept."""
    rows = lxml.html.document_fromstring(text(response)).xpath("//details//tbody/tr")
    names = ["wave", "tab", "read", "saved", "fate"]
    return [
        dict(zip(names, (td.text_content() for td in row), strict=True))
        | {"kept": row.get("data-kept") == "True", "lost to": row.get("data-lost-to")}
        for row in rows
    ]


class RacePages(RawRequests):
    """Test requests that do not overlap, for which both ways have the same effect."""

    page = b"/"
    act = b"/empty/"

    def add(self, visitor: Any, way: str, **fields: Any) -> Any:
        return visitor.post(f"/{way}/add/", self.with_token(visitor, **ADD | fields), follow=True)

    @pytest.mark.parametrize("path", ["/", "/naive/", "/locked/", "/cart/"])
    def test_looking_makes_no_session(self, visitor, path):
        assert visitor.get(path).status_code == 200
        assert visitor.jar.get(COOKIE) is None

    @pytest.mark.parametrize("way", WAYS)
    def test_one_after_the_other_all_are_kept(self, visitor, classmate, way):
        for _ in range(3):
            response = self.add(visitor, way)
        assert response.redirect_chain == [(f"/{way}/", 302)]
        assert table(response) == {"apple": 3}
        assert table(self.add(visitor, way, name="pear", delay=20)) == {"apple": 3, "pear": 1}
        assert table(classmate.get(f"/{way}/")) == {}
        assert visitor.get("/cart/").content == b'{"apple": 3, "pear": 1}'

    def test_an_emptied_cart_is_empty(self, visitor):
        self.add(visitor, "naive")
        page = visitor.post("/empty/", self.with_token(visitor), follow=True)
        assert page.status_code == 200
        assert table(page) == {}

    def test_wrong_input_says_so_and_changes_nothing(self, visitor, subtests):
        self.add(visitor, "locked")
        token = self.token(visitor).encode()
        for raw in RACE_REQUESTS:
            with subtests.test(request=raw.name):
                response = self.answer_to(raw, visitor, token)
                if raw.status == 422:
                    assert lxml.html.document_fromstring(text(response)).find_class("errorlist")
                assert table(visitor.get("/")) == {"apple": 1}

    @pytest.mark.thorough
    def test_no_raw_request_changes_the_cart(self, visitor, subtests):
        self.add(visitor, "naive")
        token = self.token(visitor).encode()
        for raw in [*self.raw_requests, *REQUESTS]:
            with subtests.test(request=raw.name):
                response = self.answer_to(raw, visitor, token)
                if raw.alone and response.status_code == 200:
                    assert "apple" not in table(response)
                assert table(visitor.get("/")) == {"apple": 1}


class RaceRuns:
    """Test concurrent tabs on a real server: which adds are lost and which are kept."""

    pages = RacePages()

    @pytest.fixture(autouse=True)
    def _patience(self, monkeypatch):
        monkeypatch.setattr(wire_visitor, "LIMIT", PATIENCE)

    def race(self, visitor: Any, way: str, **fields: Any) -> Any:
        data = self.pages.with_token(visitor, **RACE | fields)
        response = visitor.post(f"/{way}/race/", data)
        assert response.status_code == 200
        # The page shows the contents of the store, although every response reported success.
        expected = sum(table(visitor.get("/")).values())
        adds = (RACE | fields)["adds"]
        assert kept(response) == f"{expected} of {adds}"
        page = lxml.html.document_fromstring(text(response))
        assert page.xpath("//*[@data-responses]/text()") == [f"{adds} × 302 Found"]
        return response

    @pytest.mark.pitfall("B40")
    def test_two_clicks_show_50_of_100_and_100_of_100(self, visitor):
        naive = self.race(visitor, "naive")
        assert kept(naive) == "50 of 100"
        assert b'data-lost="50"' in naive.content
        locked = self.race(visitor, "locked")
        assert kept(locked) == "100 of 100"
        assert b"data-lost=" not in locked.content
        for wave in range(1, 4):  # chance decides which add is lost
            pair = [fate for fate in fates(naive) if fate["wave"] == str(wave)]
            assert {(fate["read"], fate["saved"]) for fate in pair} == {(str(wave - 1), str(wave))}
            (lost,) = [fate for fate in pair if not fate["kept"]]
            assert lost["lost to"] == {"1": "2", "2": "1"}[lost["tab"]]
        assert all(fate["kept"] for fate in fates(locked))
        saved = sorted(int(fate["saved"]) for fate in fates(locked))
        assert saved == list(range(1, 7))

    @pytest.mark.thorough
    @pytest.mark.pitfall("B40")
    @pytest.mark.parametrize("which_items", ["same", "different"])
    @pytest.mark.parametrize(
        ("tabs", "delay", "adds"), [(2, 20, 100), (10, 20, 100), (50, 20, 100), (10, 200, 50)]
    )
    def test_of_so_many_tabs_naively_one_is_kept(self, visitor, tabs, delay, adds, which_items):
        fields = {"tabs": tabs, "delay": delay, "adds": adds, "which_items": which_items}
        response = self.race(visitor, "naive", **fields)
        assert kept(response) == f"{adds // tabs} of {adds}"
        first = [fate for fate in fates(response) if fate["wave"] == "1"]
        assert [fate["read"] for fate in first] == ["0"] * tabs
        assert [fate["kept"] for fate in first].count(True) == 1

    @pytest.mark.thorough
    @pytest.mark.parametrize("delay", [0, 20])
    @pytest.mark.parametrize("tabs", [2, 10, 50])
    def test_of_so_many_tabs_all_are_kept_behind_the_lock(self, visitor, tabs, delay):
        response = self.race(visitor, "locked", tabs=tabs, delay=delay, which_items="different")
        assert kept(response) == "100 of 100"
        assert table(visitor.get("/")) == {f"tab {n}": 100 // tabs for n in range(1, tabs + 1)}
        first = [int(fate["saved"]) for fate in fates(response) if fate["wave"] == "1"]
        assert sorted(first) == list(range(1, tabs + 1))

    @pytest.mark.thorough
    def test_without_a_delay_it_is_luck_and_the_table_is_right_all_the_same(self, visitor):
        response = self.race(visitor, "naive", tabs=50, delay=0, adds=50)
        there = [fate for fate in fates(response) if fate["kept"]]
        assert kept(response) == f"{len(there)} of 50"

    def test_the_tabs_share_the_visitors_session_and_nobody_elses(self, visitor, classmate):
        self.pages.add(classmate, "naive", name="pear")
        self.pages.add(visitor, "naive")
        key = visitor.jar.get(COOKIE).value
        self.race(visitor, "naive", tabs=10, delay=0, adds=50)
        assert visitor.jar.get(COOKIE).value == key
        assert table(classmate.get("/")) == {"pear": 1}
        # The page shows only this request, because no browser followed the tabs' redirects.
        page = lxml.html.document_fromstring(text(visitor.get("/naive/")))
        assert page.xpath("//@data-request") == ["GET /naive/"]

    @pytest.mark.thorough
    def test_a_key_that_opens_nothing_is_replaced_and_the_race_is_run(self, visitor):
        visitor.jar.store(f"{COOKIE}={'x' * 32}; Path=/", visitor.origin)
        self.race(visitor, "naive", tabs=50, delay=0, adds=50)
        assert visitor.jar.get(COOKIE).value != "x" * 32

    @pytest.mark.thorough
    def test_real_tabs_at_a_socket_lose_nothing_behind_the_lock(self, visitor):
        self.pages.add(visitor, "locked")
        tabs = [type(visitor)(visitor.port) for _ in range(10)]
        for tab in tabs:
            for cookie in visitor.jar:
                tab.jar.store(f"{cookie.pair}; Path=/", tab.origin)
        data = self.pages.with_token(visitor, **ADD | {"delay": 20})
        with ThreadPoolExecutor(10) as pool:
            sent = [pool.submit(tab.post, "/locked/add/", data) for tab in tabs]
            assert {future.result(PATIENCE).status_code for future in sent} == {302}
        assert table(visitor.get("/")) == {"apple": 11}


class RaceInChromium:
    """Tests of the race's pages in a real browser."""

    @pytest.fixture(autouse=True)
    def _patience(self, chromium):
        chromium.page.set_default_timeout(PATIENCE * 1000)

    def race(self, page: Any, button: str) -> str:
        page.get_by_role("button", name=button, exact=True).click()
        page.wait_for_load_state()
        return page.locator("[data-result]").text_content()

    @pytest.mark.pitfall("B40")
    def test_a_person_sees_50_of_100_and_100_of_100_in_two_clicks(self, chromium, server):
        page = chromium.page
        page.goto(server.url("/"))
        assert self.race(page, "Race, naive") == "50 of 100"
        # In each of three waves, one add is lost.
        assert page.locator(".timeline .lost").count() == 3
        assert page.locator(".timeline .over").count() == 3
        assert self.race(page, "Run it again with a lock") == "100 of 100"
        assert page.locator(".timeline .lost").count() == 0
        assert page.locator(".timeline .waits").count() >= 3

    def test_what_is_seen_is_for_everyone_and_on_every_screen(self, chromium, server):
        page = chromium.page
        page.goto(server.url("/"))
        page.get_by_label("The view takes").select_option("0")
        page.get_by_label("Adds in all").select_option("50")
        for tabs in ("10", "50"):
            page.get_by_label("Tabs at once").select_option(tabs)
            self.race(page, "Race, naive")
            page.locator("[data-as-table]").click()
            assert page.locator("details tr").count() == 1 + int(tabs)
            for width, scheme in ((320, "dark"), (1280, "light")):
                page.set_viewport_size({"width": width, "height": 800})
                page.emulate_media(color_scheme=scheme)
                assert complaints(page) + cut_off(page) == []

    @pytest.mark.parametrize(("way", "items"), [("naive", "1"), ("locked", "2")])
    def test_two_tabs_by_hand(self, chromium, server, way, items):
        first = chromium.page
        first.goto(server.url(f"/{way}/"))
        first.get_by_label("The view takes").first.select_option("0")
        # This creates the session that both tabs use.
        first.get_by_role("button", name="Add one").click()
        first.locator("tbody td", has_text="1").wait_for()
        first.get_by_role("button", name="Empty the cart").click()
        second = first.context.new_page()
        for tab in (first, second):
            tab.goto(server.url(f"/{way}/"))
        at = (time.time() + 2) * 1000  # milliseconds: when both press
        for tab in (first, second):
            tab.get_by_role("button", name="Add one").evaluate(PRESS, at)
        for tab in (first, second):
            tab.locator("tbody td").wait_for()
        first.goto(server.url("/"))
        assert re.fullmatch(items, first.locator("tbody td").text_content())
