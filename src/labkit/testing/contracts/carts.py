"""The contract of carts that have the pages and form fields of labs 03 and 04."""

import itertools
from typing import Any

import lxml.html
import pytest
from django.http import HttpResponseBase

from labkit.base import error_pages
from labkit.base.templatetags.labkit import this_lab
from labkit.testing.chromium import page_says
from labkit.testing.contracts.common import RawRequests
from labkit.testing.contracts.hostile_input import (
    HOSTILE_NAMES,
    REFUSED_NAMES,
    REFUSED_QUANTITIES,
)
from labkit.testing.contracts.kept_in import KeptIn
from labkit.testing.contracts.pages import form_errors, has_table, says_why, table, text, words
from labkit.testing.malformed_requests import CART_REQUESTS, REQUESTS
from labkit.testing.visitor import Visitor

PAGES = ["/", "/add/", "/display/", "/info/"]
REDIRECTS = {302, 303}


class CartPages(RawRequests):
    """Tests that every cart must pass, for the behaviour of its pages."""

    capacity: int  # items
    page = b"/display/"
    act = b"/empty/"
    form = "/add/"

    def leave_state(self, visitor: Visitor) -> None:
        """Add an item, so that the lab stores a cart (see KeptIn)."""
        self.put(visitor, "apple", 3)

    # Actions

    def add(self, visitor: Visitor, name: str, quantity: Any = 1) -> HttpResponseBase:
        return visitor.submit("/add/", {"name": name, "quantity": quantity})

    def put(self, visitor: Visitor, name: str, quantity: Any = 1) -> dict[str, Any]:
        """Add an item without opening the cart; return the form's fields, to send them again."""
        fields = self.with_token(visitor, name=name, quantity=quantity)
        assert visitor.post("/add/", fields).status_code in REDIRECTS
        return fields

    def cart(self, visitor: Visitor) -> dict[str, int]:
        return table(visitor.get("/display/"))

    def remove(self, visitor: Visitor, name: str) -> HttpResponseBase:
        return visitor.submit("/remove/", {"name": name}, page="/display/")

    def empty(self, visitor: Visitor) -> HttpResponseBase:
        return visitor.submit("/empty/", page="/display/")

    # Promises

    @pytest.mark.pitfall("B18", "B20", "B22")
    @pytest.mark.parametrize("path", PAGES)
    def test_every_page_opens_for_a_new_visitor(self, visitor, path):
        assert visitor.get(path).status_code == 200

    @pytest.mark.pitfall("B05")
    def test_a_new_visitor_has_no_items(self, visitor):
        page = visitor.get("/display/")
        assert (table(page), has_table(page)) == ({}, False)

    def test_opening_the_start_page_sets_no_cookie(self, visitor):
        visitor.get("/")
        assert list(visitor.jar) == []

    @pytest.mark.pitfall("B46")
    def test_every_link_leads_straight_to_a_page(self, visitor):
        pages = [lxml.html.document_fromstring(text(visitor.get(path))) for path in PAGES]
        links = {link for page in pages for link in page.xpath("(//header|//main)//a/@href")}
        for page in pages:
            assert set(page.xpath("//header//a/@href")) >= set(PAGES)
        for link in sorted(links):
            assert visitor.get(link).status_code == 200, link

    @pytest.mark.pitfall("B06")
    def test_opening_the_form_adds_nothing(self, visitor):
        visitor.get("/add/")
        assert visitor.jar.header(visitor.origin).startswith("csrftoken")
        page = visitor.get("/display/")
        assert (table(page), has_table(page)) == ({}, False)

    @pytest.mark.pitfall("B04")
    def test_other_cookies_are_not_items(self, visitor):
        for pair in ("csrftoken=x", "sessionid=y", "count=5", "pear=1", "cart_99_pear=1"):
            visitor.jar.store(f"{pair}; Path=/", visitor.origin)
        assert table(visitor.get("/display/")) == {}
        self.add(visitor, "apple", 3)
        assert self.cart(visitor) == {"apple": 3}

    @pytest.mark.pitfall("B23", "B34")
    def test_an_added_item_is_shown(self, visitor):
        before = words(visitor.get("/")).count("1")
        response = self.add(visitor, "apple", 3)
        assert [url for url, _ in response.redirect_chain] == ["/display/"]
        assert table(response) == {"apple": 3}
        # The start page shows the number of items.
        assert words(visitor.get("/")).count("1") == before + 1

    @pytest.mark.pitfall("B28")
    def test_adding_again_adds_up(self, visitor):
        self.add(visitor, "apple", 3)
        self.add(visitor, "pear", 1)
        self.add(visitor, "apple", 2)
        assert self.cart(visitor) == {"apple": 5, "pear": 1}

    @pytest.mark.pitfall("B31")
    def test_reloading_after_an_add_does_not_add_again(self, visitor):
        self.add(visitor, "apple", 3)
        last = visitor.exchanges[-1]
        assert last.method == "GET"  # reloading the page repeats this request
        visitor.get(last.target.path)
        assert self.cart(visitor) == {"apple": 3}

    def test_spaces_around_a_name_are_removed(self, visitor):
        fields = self.put(visitor, "bread", 2)
        visitor.post("/add/", fields | {"name": "  red  apple ", "quantity": " 7 "})
        assert self.cart(visitor) == {"bread": 2, "red  apple": 7}

    def test_more_than_999_of_an_item_are_refused(self, visitor):
        self.add(visitor, "apple", 600)
        assert table(self.add(visitor, "apple", 399)) == {"apple": 999}
        response = self.add(visitor, "apple", 1)
        assert response.status_code == 422
        assert form_errors(response)
        assert self.cart(visitor) == {"apple": 999}

    @pytest.mark.pitfall("B47")
    def test_removing_one_item_keeps_the_others(self, visitor):
        for name in ("apple", "pear", "plum"):
            self.add(visitor, name)
        assert table(self.remove(visitor, "pear")) == {"apple": 1, "plum": 1}

    def test_removing_a_missing_item_changes_nothing(self, visitor):
        self.add(visitor, "apple")
        for name in ("pear", "", "x" * 5000, "a;b\r\n"):
            response = visitor.post("/remove/", self.with_token(visitor, name=name), follow=True)
            assert table(response) == {"apple": 1}

    @pytest.mark.pitfall("B05", "B07", "B47")
    def test_emptying_removes_every_item(self, visitor):
        self.add(visitor, "apple")
        self.add(visitor, "pear")
        assert table(self.empty(visitor)) == {}
        assert self.cart(visitor) == {}

    def test_visitors_do_not_share_a_cart(self, visitor, classmate):
        self.add(visitor, "apple", 3)
        self.add(classmate, "pear", 1)
        assert self.cart(visitor) == {"apple": 3}
        assert self.cart(classmate) == {"pear": 1}

    @pytest.mark.pitfall("B38")
    def test_a_full_cart_refuses_one_more_item(self, visitor):
        fields = self.put(visitor, "item 0")
        for number in range(1, self.capacity):
            response = visitor.post("/add/", fields | {"name": f"item {number}"})
            assert response.status_code in REDIRECTS
        refused = self.add(visitor, "one more")
        assert refused.status_code == 422
        assert form_errors(refused)
        assert len(self.cart(visitor)) == self.capacity
        assert self.add(visitor, "item 0", 2).status_code == 200
        assert self.cart(visitor)["item 0"] == 3

    @pytest.mark.pitfall("B08", "B09", "B11", "B32", "B35", "B36")
    def test_any_name_is_added_shown_and_removed_exactly(self, visitor, subtests):
        fields = self.put(visitor, "bread", 2)
        for name in HOSTILE_NAMES:
            with subtests.test(name=name):
                added = visitor.post("/add/", fields | {"name": name, "quantity": 3}, follow=True)
                assert table(added) == {"bread": 2, name: 3}
                removed = visitor.submit("/remove/", {"name": name}, page=added)
                assert table(removed) == {"bread": 2}

    @pytest.mark.parametrize("name", ["<script>alert(7)</script>", "<b>x</b>", "</dd><i>"])
    def test_markup_in_a_name_is_shown_as_text(self, visitor, name):
        for response in (self.add(visitor, name), visitor.get("/info/")):
            assert name not in text(response)

    @pytest.mark.pitfall("B11")
    def test_a_name_that_cannot_be_shown_is_refused(self, visitor, subtests):
        self.all_refused(visitor, subtests, [{"name": n, "quantity": 1} for n in REFUSED_NAMES])

    @pytest.mark.pitfall("B26", "B27")
    def test_a_quantity_outside_of_1_to_999_is_refused(self, visitor, subtests):
        wrong = [{"name": "apple", "quantity": quantity} for quantity in REFUSED_QUANTITIES]
        self.all_refused(visitor, subtests, wrong)

    @pytest.mark.pitfall("B29")
    def test_a_missing_field_is_refused(self, visitor, subtests):
        self.all_refused(visitor, subtests, [{}, {"name": "apple"}, {"quantity": 1}])
        before = self.cart(visitor)
        assert visitor.post("/remove/", self.with_token(visitor)).status_code < 500
        assert self.cart(visitor) == before != {}

    @pytest.mark.pitfall("B30")
    def test_a_refused_form_keeps_what_was_typed(self, visitor):
        response = self.add(visitor, "apple", 5000)
        assert response.status_code == 422
        form = lxml.html.document_fromstring(response.content.decode()).forms[0]
        assert form_errors(response)
        assert form.fields["name"] == "apple"
        assert form.fields["quantity"] == "5000"

    @pytest.mark.parametrize("path", ["/add/", "/remove/", "/empty/"])
    def test_a_form_without_a_token_is_refused(self, visitor, path):
        self.add(visitor, "apple")
        response = visitor.post(path, {"name": "apple", "quantity": 1})
        assert response.status_code == 403
        assert says_why(response)
        assert self.cart(visitor) == {"apple": 1}

    def test_a_form_on_another_site_cannot_add(self, visitor):
        self.add(visitor, "apple")
        data = self.with_token(visitor, name="pear", quantity=1)
        with visitor.coming_from("http://evil.example/"):
            assert visitor.post("/add/", data).status_code == 403
        assert self.cart(visitor) == {"apple": 1}

    @pytest.mark.pitfall("B17")
    def test_only_post_changes_the_cart(self, visitor, subtests):
        self.put(visitor, "apple")
        methods = ["get", "head", "put", "delete", "patch", "options", "trace"]
        for path, method in itertools.product(["/remove/", "/empty/"], methods):
            with subtests.test(path=path, method=method):
                response = getattr(visitor, method)(path)
                # 403 comes from CSRF protection; class-based views respond to OPTIONS with 200.
                expected = {200, 403, 405} if method == "options" else {403, 405}
                assert response.status_code in expected
                if response.status_code == 405:
                    assert {"POST"} <= set(response["Allow"].split(", ")) <= {"POST", "OPTIONS"}
                assert self.cart(visitor) == {"apple": 1}

    def test_a_refused_method_gets_an_error_page(self, visitor):
        response = visitor.get("/empty/")
        assert response.status_code == 405
        assert says_why(response)

    @pytest.mark.pitfall("B46")
    def test_an_unknown_url_gets_an_error_page(self, visitor):
        response = visitor.get("/display/anything/")
        assert response.status_code == 404
        assert error_pages.NO_PAGE in words(response)

    def test_with_cookies_blocked_the_form_is_refused(self, visitor):
        visitor.block_cookies()
        response = self.add(visitor, "apple")
        assert response.status_code == 403
        assert error_pages.COOKIES_BLOCKED in words(response)
        assert self.cart(visitor) == {}
        visitor.block_cookies(False)
        assert table(self.add(visitor, "apple")) == {"apple": 1}

    @pytest.mark.thorough
    def test_malformed_requests_break_nothing(self, visitor, classmate, subtests):
        token = self.put(visitor, "bread", 2)["csrfmiddlewaretoken"].encode()
        self.put(classmate, "milk", 1)
        for raw in [*self.raw_requests, *CART_REQUESTS, *REQUESTS]:
            with subtests.test(request=raw.name):
                response = self.answer_to(raw, visitor, token)
                if raw.cookie is not None and response.status_code == 200:
                    assert table(response) == ({} if raw.alone else {"bread": 2})
                assert self.cart(visitor) == {"bread": 2}
        assert self.cart(classmate) == {"milk": 1}

    # Helpers

    def all_refused(self, visitor: Visitor, subtests: Any, wrong: list[dict[str, Any]]) -> None:
        """Send each of these forms. Each must be refused with a form error, and change nothing."""
        form = self.put(visitor, "bread", 2)
        before = {(cookie.name, cookie.value) for cookie in visitor.jar}
        for data in wrong:
            with subtests.test(data=data):
                token = {"csrfmiddlewaretoken": form["csrfmiddlewaretoken"]}
                response = visitor.post("/add/", token | data)
                assert response.status_code == 422
                assert form_errors(response)
                assert {(cookie.name, cookie.value) for cookie in visitor.jar} == before
                assert self.cart(visitor) == {"bread": 2}


class CartContract(CartPages, KeptIn):
    """Tests that every cart must pass, for its pages, its storage and its lifetime."""

    lifetime: int  # seconds
    renews: str | None = None  # None: as in labs.toml; copies, not listed there, must set it

    @pytest.mark.thorough
    def test_random_actions_agree_with_a_model(self, pytestconfig):
        # Imported here, because Hypothesis is slow to import and tests over sockets do not need it.
        from labkit.testing import state_machine
        from labkit.testing.contracts import state_machines

        renews = self.renews or this_lab().renews
        assert renews, "this copy's test class must set renews = 'item' or 'cart', see labs.toml"
        examples = pytestconfig.getoption("lab_examples")
        state_machine.run(state_machines.CartMachine, examples, renews=renews)

    def test_the_cart_expires_on_time(self, visitor, clock):
        self.add(visitor, "apple")
        clock.forward(seconds=self.lifetime - 1)
        assert self.cart(visitor) == {"apple": 1}
        clock.forward(seconds=1)
        assert self.cart(visitor) == {}

    def test_reading_does_not_extend_the_expiry(self, visitor, clock):
        self.add(visitor, "apple")
        clock.forward(seconds=self.lifetime / 2)
        assert self.cart(visitor) == {"apple": 1}
        clock.forward(seconds=self.lifetime / 2)
        assert self.cart(visitor) == {}

    def test_adding_after_the_expiry_starts_a_new_cart(self, visitor, clock):
        self.add(visitor, "apple", 3)
        clock.forward(seconds=self.lifetime)
        self.add(visitor, "apple", 2)
        assert self.cart(visitor) == {"apple": 2}


class CartInChromium:
    """Tests that every cart must pass in a real browser."""

    def add(self, page: Any, server: Any, name: str, quantity: int) -> None:
        page.goto(server.url("/add/"))
        page.get_by_label("Name").fill(name)
        page.get_by_label("Quantity").fill(str(quantity))
        page.get_by_role("button", name="Add").click()
        page.wait_for_load_state()  # waits until the panel's script has run

    def goods(self, page: Any) -> dict[str, int]:
        page.wait_for_load_state()
        rows = page.locator("main tbody tr").all()
        return {
            row.locator("th").text_content(): int(row.locator("td").first.text_content())
            for row in rows
        }

    @pytest.mark.pitfall("B31", "B47")
    def test_a_person_clicks_from_the_start_to_an_empty_cart(self, chromium, server):
        page = chromium.page
        page.goto(server.url("/"))
        assert page.locator("main > p b").count() == 0
        page.locator("main a[href='/add/']").click()
        page.get_by_label("Name").fill("red apple")
        page.get_by_label("Quantity").fill("3")
        page.keyboard.press("Enter")
        page.wait_for_url("**/display/")
        assert self.goods(page) == {"red apple": 3}
        self.add(page, server, "अनार", 1)
        self.add(page, server, "red apple", 2)
        assert self.goods(page) == {"red apple": 5, "अनार": 1}
        page.reload()
        assert self.goods(page) == {"red apple": 5, "अनार": 1}
        page.get_by_role("button", name="Remove red apple").click()
        assert self.goods(page) == {"अनार": 1}
        page.locator("nav a[href='/info/']").click()
        page.locator("main dl").wait_for()
        page.get_by_role("link", name="Cart").click()
        page.locator("form[action='/empty/'] button").click()
        page.locator("tbody").wait_for(state="detached")

    @pytest.mark.pitfall("B30")
    def test_a_wrong_quantity_is_refused_beside_its_field(self, chromium, server):
        page = chromium.page
        page.goto(server.url("/add/"))
        page.locator("main form").evaluate("form => form.noValidate = true")
        page.get_by_label("Name").fill("apple")
        page.get_by_label("Quantity").fill("5000")
        page.get_by_role("button", name="Add").click()
        page.wait_for_load_state()
        field = page.get_by_label("Quantity")
        assert field.get_attribute("aria-invalid") == "true"
        described_by = field.get_attribute("aria-describedby")
        assert "999" in page.locator(f"#{described_by}").text_content()
        assert field.input_value() == "5000"

    def test_the_cart_outlives_the_browser(self, chromium, server):
        self.add(chromium.page, server, "apple", 3)
        page = chromium.close_and_reopen()
        page.goto(server.url("/display/"))
        assert self.goods(page) == {"apple": 3}

    def test_with_cookies_blocked_the_page_says_so(self, chromium, server):
        page = chromium.block_cookies()
        self.add(page, server, "apple", 3)
        assert error_pages.COOKIES_BLOCKED in page_says(page)
        page.locator("main a[href='/']").click()
        page.locator("main ul a[href='/add/']").wait_for()
        assert page.locator("main > p b").count() == 0
        assert chromium.cookies() == {}
