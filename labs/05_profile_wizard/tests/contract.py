"""Tests that the wizard must pass with every carrier."""

from collections.abc import Sequence
from typing import Any

import lxml.html
import pytest
from django.http import HttpResponseBase

from lab.forms import ANSWER_FIRST
from labkit.base import error_pages
from labkit.testing.contracts import RawRequests, text, words
from labkit.testing.malformed_requests import ACT, REQUESTS, Raw

ANSWERS = {"name": "Anu", "age": "30", "gf": "Bea"}
STEPS = [*ANSWERS, "results"]
NAMES = ["Añu", "अनु", "日本", "🍎", "a;b", 'x" onclick="alert(7)', "%41", "a\u200cb", "{{ x }}"]
WRONG = {
    "name": ["", " ", "x" * 41, "a\nb", "a\x00b", "\u200d", "\ufffd"],
    "age": ["", "-1", "151", "abc", "1.5", "٣", "1_0", "9" * 5000, "<script>"],
    "gf": ["", "x" * 5000, "\x7f"],
}


def step_of(response: HttpResponseBase) -> str:
    """Return the step that a wizard's page shows: the name of its field, or "results"."""
    page = lxml.html.document_fromstring(text(response))
    asked = [field.get("name") for field in page.iterfind(".//input")]
    return next((name for name in asked if name in ANSWERS), "results")


def told(response: HttpResponseBase) -> list[str]:
    """Return the answers that a wizard's page shows, in order."""
    page = lxml.html.document_fromstring(text(response))
    return [row.findtext("td") or "" for row in page.iterfind(".//tbody/tr")]


class WizardPages(RawRequests):
    """Tests of the pages of every wizard."""

    raw_requests: Sequence[Raw] = ()
    carrier: str  # the first part of the URLs of the wizard's pages
    needs_cookies: bool
    tabs_mix: bool  # True if two tabs of one browser change the same answers
    # True if a form redirects to the next step; False if the response shows that step
    redirects: bool = True

    @property
    def page(self) -> bytes:  # type: ignore[override]
        return f"/{self.carrier}/name/".encode()

    act = page

    @property
    def form(self) -> str:  # type: ignore[override]
        return self.page.decode()

    # Steps of a visitor

    def start(self, visitor: Any) -> Any:
        return visitor.get(f"/{self.carrier}/name/")

    def answer(self, visitor: Any, page: Any, **data: Any) -> Any:
        """Send the form on this page with these fields, and return the next page."""
        return visitor.submit(None, data, page=page)

    def fill_in(self, visitor: Any, **changed: str) -> Any:
        """Answer every question from the start, and return the page with the results."""
        page = self.start(visitor)
        for field, value in (ANSWERS | changed).items():
            page = self.answer(visitor, page, **{field: value})
        return page

    def again(self, visitor: Any, page: Any, step: str) -> Any:
        """Open another step of the same run through the wizard.

        If only the form carries the answers, send the form again. Otherwise, open the URL of the
        step.
        """
        form = lxml.html.document_fromstring(text(page)).xpath("//main//form")[-1]
        address = form.action.replace(f"/{step_of(page)}/", f"/{step}/")
        if self.redirects:
            return visitor.get(address, follow=True)
        response = visitor.post(address, dict(form.form_values()) | {"change": ""})
        assert response.status_code == 200
        return response

    # The tests

    def test_three_answers_are_shown_at_the_end_and_nothing_else(self, visitor):
        page = self.fill_in(visitor)
        assert step_of(page) == "results"
        assert told(page) == ["Anu", "30", "Bea"]

    @pytest.mark.pitfall("B14", "B15")
    def test_a_skipped_question_is_asked_first_and_earlier_answers_are_kept(self, visitor):
        page = self.answer(visitor, self.start(visitor), name="Anu")
        for step in ("gf", "results"):
            skipped = self.again(visitor, page, step)
            assert step_of(skipped) == "age"
            assert told(skipped) == ["Anu"]
            assert ANSWER_FIRST in words(skipped)

    def test_a_name_in_any_script_arrives_as_it_was_typed(self, visitor, subtests):
        for name in NAMES:
            with subtests.test(name=name):
                page = self.fill_in(visitor, name=name, gf=name)
                assert told(page) == [name, "30", name]
                self.answer(visitor, page, forget="")

    def test_with_cookies_blocked(self, visitor):
        visitor.block_cookies()
        page = self.start(visitor)
        if self.needs_cookies:
            refused = self.answer(visitor, page, name="Anu")
            assert refused.status_code == 403
            assert error_pages.COOKIES_BLOCKED in words(refused)
        else:
            assert told(self.fill_in(visitor)) == ["Anu", "30", "Bea"]
            assert visitor.exchanges[-1].cookie_bytes == b""

    def test_visitors_do_not_share_answers(self, visitor, classmate):
        assert told(self.fill_in(visitor)) == ["Anu", "30", "Bea"]
        assert told(self.fill_in(classmate, name="Ben")) == ["Ben", "30", "Bea"]
        assert told(self.again(visitor, self.fill_in(visitor), "results"))[0] == "Anu"

    @pytest.mark.thorough
    def test_malformed_requests_break_nothing(self, visitor, subtests):
        token = b"none"
        if self.needs_cookies:
            token = self.token(visitor).encode()
        filled = self.fill_in(visitor)
        for raw in [*self.raw_requests, *REQUESTS]:
            if (raw.status == 405 and raw.path == ACT) or (
                raw.status == 403 and not self.needs_cookies
            ):
                # These pages also accept GET, and two carriers need no CSRF token.
                continue
            with subtests.test(request=raw.name):
                response = self.answer_to(raw, visitor, token)
                if raw in self.raw_requests and raw.status == 200:
                    assert step_of(response) == "name"
                if raw in self.raw_requests and raw.cookie and raw.status == 302:
                    # Any printable text is a valid name, so the next question is the age.
                    assert response["Location"].split("/")[2] in {"name", "age"}
                assert told(self.again(visitor, filled, "results")) == ["Anu", "30", "Bea"]
        assert told(self.fill_in(visitor)) == ["Anu", "30", "Bea"]

    @pytest.mark.parametrize("step", STEPS)
    def test_a_new_visitor_begins_with_the_first_question(self, visitor, step):
        response = visitor.get(f"/{self.carrier}/{step}/")
        landed = step == "name" or not self.redirects
        assert response.status_code == (200 if landed else 302)
        page = visitor.get(f"/{self.carrier}/{step}/", follow=True)
        assert step_of(page) == "name"
        assert (ANSWER_FIRST in words(page)) == (step != "name")
        assert list(visitor.jar) == [] or self.needs_cookies

    def test_each_answer_leads_to_the_next_question(self, visitor):
        page = self.start(visitor)
        for field, following in zip(ANSWERS, STEPS[1:], strict=True):
            assert step_of(page) == field
            page = self.answer(visitor, page, **{field: ANSWERS[field]})
            assert page.status_code == 200
            assert bool(page.redirect_chain) == self.redirects
            assert step_of(page) == following

    def test_an_answer_sent_too_early_is_kept_until_its_turn(self, visitor):
        page = self.start(visitor)
        form = dict(lxml.html.document_fromstring(text(page)).forms[0].form_values())
        early = visitor.post(f"/{self.carrier}/gf/", form | {"gf": "Bea"}, follow=True)
        assert step_of(early) == "name"
        page = self.answer(visitor, early, name="Anu")
        assert step_of(page) == "age"
        assert told(self.answer(visitor, page, age=30)) == ["Anu", "30", "Bea"]

    def test_every_answer_has_a_button_that_changes_it(self, visitor):
        page = self.fill_in(visitor)
        page = visitor.press("Change: Your age", page)
        assert step_of(page) == "age"
        assert told(self.answer(visitor, page, age=31)) == ["Anu", "31", "Bea"]

    def test_going_back_shows_what_was_answered_and_keeps_the_rest(self, visitor):
        page = self.fill_in(visitor)
        back = self.again(visitor, page, "name")
        form = lxml.html.document_fromstring(text(back)).forms[0]
        assert form.fields["name"] == "Anu"
        page = self.answer(visitor, back, name="Ada")
        assert step_of(page) == "age"
        page = self.answer(visitor, page, age=31)
        assert told(self.answer(visitor, page, gf="Bea")) == ["Ada", "31", "Bea"]

    def test_the_first_answer_sent_twice_changes_nothing(self, visitor):
        first = self.start(visitor)
        self.answer(visitor, first, name="Anu")
        page = self.answer(visitor, first, name="Anu")
        assert step_of(page) == "age"
        assert told(page) == ["Anu"]

    def test_a_wrong_answer_is_refused_and_stays_in_its_field(self, visitor, subtests):
        page = self.start(visitor)
        for field, right in ANSWERS.items():
            for wrong in WRONG[field]:
                with subtests.test(field=field, wrong=wrong[:20]):
                    refused = self.answer(visitor, page, **{field: wrong})
                    assert refused.status_code == 422
                    html = lxml.html.document_fromstring(text(refused))
                    assert html.find_class("errorlist")
                    assert step_of(refused) == field
            page = self.answer(visitor, page, **{field: right})
        assert told(page) == list(ANSWERS.values())

    def test_a_missing_field_is_a_form_error(self, visitor):
        form = dict(lxml.html.document_fromstring(text(self.start(visitor))).forms[0].form_values())
        form.pop("name", None)
        response = visitor.post(f"/{self.carrier}/name/", form)
        assert response.status_code == 422
        assert step_of(response) == "name"

    def test_markup_in_an_answer_is_shown_and_not_obeyed(self, visitor):
        page = self.fill_in(visitor, name="<script>alert(7)</script>")
        assert told(page)[0] == "<script>alert(7)</script>"
        assert "<script>alert" not in text(page)

    def test_starting_again_forgets_everything(self, visitor):
        page = self.fill_in(visitor)
        begun = self.answer(visitor, page, forget="")
        assert step_of(begun) == "name"
        assert told(begun) == []
        assert step_of(visitor.get(f"/{self.carrier}/results/", follow=True)) == "name"

    def test_two_tabs_of_one_browser(self, visitor):
        one = self.answer(visitor, self.start(visitor), name="Anu")
        two = self.answer(visitor, self.start(visitor), name="Ben")
        one = self.answer(visitor, one, age=30)
        two = self.answer(visitor, two, age=60)
        one = self.answer(visitor, one, gf="Bea")
        assert told(one) == (["Ben", "60", "Bea"] if self.tabs_mix else ["Anu", "30", "Bea"])
        assert told(self.answer(visitor, two, gf="Cleo"))[:2] == ["Ben", "60"]

    def test_only_its_own_steps_have_pages(self, visitor):
        for step in ("none", "", "name/age", "%00"):
            assert visitor.get(f"/{self.carrier}/{step}/").status_code == 404

    def test_looking_changes_nothing(self, visitor):
        page = self.answer(visitor, self.start(visitor), name="Anu")
        address = lxml.html.document_fromstring(text(page)).forms[0].action
        for method in ("head", "options", "trace", "put", "patch", "delete"):
            response = getattr(visitor, method)(address)
            assert response.status_code in ({200, 302} if method == "head" else {403, 405})
        assert told(self.again(visitor, page, "age")) == ["Anu"]


class WizardContract(WizardPages):
    """Tests of the pages of a wizard, and of how long its answers last."""

    lifetime: int = 600  # seconds since the last answer

    def test_answers_live_as_long_as_promised(self, visitor, clock):
        page = self.answer(visitor, self.start(visitor), name="Anu")
        clock.forward(seconds=self.lifetime - 1)
        page = self.answer(visitor, page, age=30)
        assert told(page) == ["Anu", "30"]
        clock.forward(seconds=self.lifetime + 1)
        after = self.again(visitor, page, "gf")
        assert step_of(after) == "name"
        assert told(after) == []

    def test_an_answer_after_the_end_begins_anew_and_is_kept(self, visitor, clock):
        page = self.answer(visitor, self.start(visitor), name="Anu")
        clock.forward(seconds=self.lifetime + 1)
        page = self.answer(visitor, page, age=30)
        assert step_of(page) == "name"
        assert told(page) == ["30"]

    @pytest.mark.thorough
    def test_random_actions_agree_with_a_model(self, pytestconfig):
        from labkit.testing import state_machine
        from tests import wizard_machine

        examples = pytestconfig.getoption("lab_examples")
        state_machine.run(wizard_machine.WizardMachine, examples, wizard=self)
