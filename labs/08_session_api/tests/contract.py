"""Tests that any lab on the session API must pass, if its pages and buttons work like lab 08's."""

import ast
import itertools
import json
from dataclasses import dataclass
from typing import Any

import lxml.html
import pytest
from django.http import HttpResponseBase

from lab import saving
from lab.report import MISSING
from labkit.testing.contracts import RawRequests, notices, surprises, text
from labkit.testing.malformed_requests import REQUESTS

# Tables with the state of the session: before and after the request, or now.
STATES = ".//table[@class='compare']"


@dataclass(frozen=True)
class Pressed:
    """The report that the page shows after a button was pressed."""

    source: str
    answer: str | None  # the return value, empty after an error
    mistake: str | None  # the exception's name and message, if one was raised
    saved: bool
    why: str  # why the session is or is not saved
    lost: bool
    before: dict[str, str]
    after: dict[str, str]
    keys: tuple[str, str]  # the session key before and after the operation
    # The return values of the operation on a dictionary and on the session.
    returns: tuple[str, str]
    # The entries in a dictionary after the operation, and in the session at the next request.
    finds: tuple[str, str]
    surprises: list[str]


def result(response: HttpResponseBase) -> Pressed:
    """Return the report in this response."""
    assert response.status_code == 200
    page = lxml.html.document_fromstring(text(response))
    rows = [[cell.text_content() for cell in row] for row in page.iterfind(f"{STATES}/tbody/tr")]
    before, after = (
        {row[0]: row[side] for row in rows if len(row) == 3 and row[side] != MISSING}
        for side in (1, 2)
    )
    _, *keys = (cell.text_content() for cell in page.find(f"{STATES}/tfoot/tr"))
    (saved,) = page.xpath("//dd[@data-saved]")
    answers, mistakes = page.xpath("//*[@data-answer]"), page.xpath("//*[@data-mistake]/b")
    return Pressed(
        source=page.find(".//pre").text_content(),
        answer=answers[0].text_content() if answers else None,
        mistake=mistakes[0].text_content() if mistakes else None,
        saved={"yes": True, "no": False}[saved.get("data-saved")],
        why=saved.findtext("span"),
        lost=bool(page.xpath("//*[@data-lost]")),
        before=before,
        after=after,
        keys=(keys[0], keys[1]),
        returns=pair(page.find(".//tr[@data-returns]")),
        finds=pair(page.find(".//tr[@data-finds]")),
        surprises=surprises(response),
    )


def pair(row: Any) -> tuple[str, str]:
    """Return the two cells of a row."""
    return row[1].text_content(), row[2].text_content()


def kept(visitor: Any) -> dict[str, str]:
    """Return the entries that the next request will find."""
    page = lxml.html.document_fromstring(text(visitor.get("/api/")))
    rows = page.iterfind(".//tbody/tr")
    return {row.find("th").text_content(): row.find("td").text_content() for row in rows}


def is_empty(response: HttpResponseBase) -> bool:
    """Return True if a page says that the session has no entries."""
    return bool(lxml.html.document_fromstring(text(response)).xpath("//*[@data-empty]"))


def student(response: HttpResponseBase) -> dict[str, str | None]:
    """Return the two strings on the page "Get", with None for a missing string."""
    page = lxml.html.document_fromstring(text(response))
    pairs = [(dt.text_content(), dt.getnext()) for dt in page.iter("dt")]
    return {key: None if "data-missing" in dd.attrib else dd.text_content() for key, dd in pairs}


def as_json(entries: dict[str, str]) -> dict[str, Any]:
    """Return these entries as they are after being stored as JSON."""
    return {k: json.loads(json.dumps(ast.literal_eval(v))) for k, v in entries.items()}


def as_values(entries: dict[str, str]) -> dict[str, Any]:
    """Return these entries with the repr() of their values."""
    return {key: ast.literal_eval(value) for key, value in entries.items()}


def operations(visitor: Any) -> list[str]:
    """Return the names of all buttons."""
    page = lxml.html.document_fromstring(text(visitor.get("/api/")))
    return [button.get("value") for button in page.iterfind(".//main//fieldset/button")]


STUDENT = {"name": "Asha", "email": "asha@example.org"}
HOSTILE_TEXTS = ["<script>alert(7)</script>", "{{ x }}", "日本", "O'Brien", "café", "__class__"]
REFUSED_STUDENTS: list[dict[str, Any]] = [
    {"name": "Asha"},
    {"email": "asha@example.org"},
    *(STUDENT | {"name": name} for name in ["", " ", "x" * 41, "a\nb", "a\x00b", "a\u202eb"]),
    *(STUDENT | {"email": email} for email in ["", "asha", "a@b", "x" * 5000, "<script>@a.b"]),
]


class SessionApiPages(RawRequests):
    """Tests of the pages about the session API."""

    page = b"/api/"
    act = b"/student/delete/"
    form = "/api/"
    raw_requests = ()

    # Steps of a visitor

    def press(self, visitor: Any, *names: str) -> Pressed:
        """Press these buttons in turn, and return the report after the last one."""
        page: Any = "/api/"
        for name in names:
            page = visitor.submit("/api/", {"operation": name}, page=page)
        return result(page)

    # The tests

    def test_looking_makes_no_session(self, visitor):
        for path in ("/", "/student/set/", "/student/get/", "/api/"):
            assert visitor.get(path).status_code == 200
        assert [cookie.name for cookie in visitor.jar] == ["csrftoken_08"]
        assert is_empty(visitor.get("/api/"))

    @pytest.mark.pitfall("B21")
    def test_getting_before_setting_is_no_error(self, visitor):
        response = visitor.get("/student/get/")
        assert is_empty(response)
        assert student(response) == {}

    def test_what_is_set_is_got_as_often_as_you_look(self, visitor):
        response = visitor.submit("/student/set/", STUDENT)
        assert response.redirect_chain == [("/student/get/", 302)]
        for seen in (response, visitor.get("/student/get/")):
            assert student(seen) == {"sname": "Asha", "semail": "asha@example.org"}
            assert not is_empty(seen)

    @pytest.mark.pitfall("B21")
    def test_deleting_takes_the_first_string_and_a_second_time_nothing(self, visitor):
        visitor.submit("/student/set/", STUDENT)
        token = self.with_token(visitor)
        for _ in range(2):
            response = visitor.post("/student/delete/", token, follow=True)
            assert response.redirect_chain == [("/student/get/", 302)]
            assert student(response) == {"sname": None, "semail": "asha@example.org"}

    def test_any_name_is_shown_and_not_obeyed(self, visitor, subtests):
        for name in HOSTILE_TEXTS:
            with subtests.test(name=name):
                response = visitor.submit("/student/set/", STUDENT | {"name": name})
                assert student(response)["sname"] == name
                shown = visitor.submit("/api/", {"operation": "items"})
                assert ast.literal_eval(result(shown).after["sname"]) == name
                for page in (response, shown, visitor.get("/api/")):
                    assert "<script>alert" not in text(page)

    def test_a_refused_form_changes_nothing(self, visitor, subtests):
        visitor.submit("/student/set/", STUDENT)
        token = self.with_token(visitor)
        for wrong in REFUSED_STUDENTS:
            with subtests.test(wrong=wrong):
                response = visitor.post("/student/set/", token | wrong)
                assert response.status_code == 422
                assert lxml.html.document_fromstring(text(response)).find_class("errorlist")
                assert kept(visitor)["sname"] == "'Asha'"

    def test_a_refused_form_keeps_what_was_typed(self, visitor):
        response = visitor.submit("/student/set/", STUDENT | {"email": "asha"})
        assert response.status_code == 422
        fields = lxml.html.document_fromstring(text(response)).forms[0].fields
        assert (fields["name"], fields["email"]) == ("Asha", "asha")

    def test_an_unknown_operation_is_refused_with_a_notice(self, visitor, subtests):
        self.press(visitor, "assign")
        token = self.with_token(visitor)
        for name in [
            None,
            "",
            "x",
            "__class__",
            "press",
            "<script>",
            "assign ",
            "x" * 5000,
            "\x00",
        ]:
            with subtests.test(name=name):
                data = token if name is None else token | {"operation": name}
                response = visitor.post("/api/", data)
                assert response.status_code == 422
                assert len(notices(response)) == 1
                assert kept(visitor) == {"tea": "2"}

    @pytest.mark.thorough
    def test_every_button_tells_the_truth_about_what_is_kept(self, visitor, subtests):
        names = operations(visitor)
        assert len(names) == 24
        token = self.with_token(visitor)

        def press(name: str) -> Pressed:
            return result(visitor.post("/api/", token | {"operation": name}))

        for filled, name in itertools.product([False, True], names):
            with subtests.test(name=name, filled=filled):
                was = press("flush").after
                if filled:
                    was = press("put_cart").after
                told = press(name)
                assert told.before == was
                ends = {} if name == "flush" else told.after if told.saved else was
                found = kept(visitor)
                assert as_json(found) == as_json(ends)
                assert ast.literal_eval(told.finds[1]) == as_values(found)
                assert told.lost == (not told.saved and name != "flush" and told.after != was)

    @pytest.mark.claim("C84")
    def test_a_change_inside_of_an_entry_is_kept_only_where_the_session_is_told(self, visitor):
        assert self.press(visitor, "put_cart").after == {"cart": "{'tea': 1}"}
        for _ in range(2):
            told = self.press(visitor, "change_inside")
            assert (told.before, told.after) == ({"cart": "{'tea': 1}"}, {"cart": "{'tea': 2}"})
            assert told.lost
            assert (told.saved, told.why) == (False, saving.UNMODIFIED)
        for number in (2, 3):
            told = self.press(visitor, "change_and_say_so")
            assert told.after == {"cart": f"{{'tea': {number}}}"} != told.before
            assert (told.saved, told.why) == (True, saving.MODIFIED)

    @pytest.mark.claim("C81")
    @pytest.mark.pitfall("B07")
    def test_a_loop_that_deletes_crashes_and_nothing_is_deleted(self, visitor):
        self.press(visitor, "assign", "put_cart")
        told = self.press(visitor, "delete_in_loop")
        assert told.mistake == "RuntimeError: dictionary changed size during iteration"
        assert (told.answer, told.lost, len(told.after)) == (None, True, 1)
        assert kept(visitor) == told.before == {"tea": "2", "cart": "{'tea': 1}"}
        assert self.press(visitor, "delete_over_list").after == {}
        assert kept(visitor) == {}

    def test_visitors_do_not_share_a_session(self, visitor, classmate):
        self.press(visitor, "assign")
        self.press(classmate, "put_cart", "flush")
        assert (kept(visitor), kept(classmate)) == ({"tea": "2"}, {})

    def test_nothing_changes_but_by_a_form_of_the_lab(self, visitor, subtests):
        self.press(visitor, "assign")
        for method in ["get", "head", "put", "delete", "patch", "options", "trace"]:
            for path in ("/api/?operation=clear", "/student/set/", "/student/delete/"):
                with subtests.test(path=path, method=method):
                    assert getattr(visitor, method)(path).status_code in {200, 403, 405}
        assert visitor.post("/api/", {"operation": "clear"}).status_code == 403
        with visitor.coming_from("http://evil.example/"):
            data = self.with_token(visitor, operation="clear")
            assert visitor.post("/api/", data).status_code == 403
        assert kept(visitor) == {"tea": "2"}

    @pytest.mark.thorough
    def test_malformed_requests_break_nothing(self, visitor, classmate, subtests):
        self.press(visitor, "assign")
        self.press(classmate, "put_cart")
        token = self.token(visitor).encode()
        for raw in [*self.raw_requests, *REQUESTS]:
            with subtests.test(request=raw.name):
                response = self.answer_to(raw, visitor, token)
                if raw.alone and response.status_code == 200:
                    assert is_empty(response)
                assert kept(visitor) == {"tea": "2"}
        assert kept(classmate) == {"cart": "{'tea': 1}"}
