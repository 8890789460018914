"""submit() and press() send the same data as a browser."""

import io
import json

import pytest

from labkit.testing.forms import URLENCODED

MULTIPART = "multipart/form-data"
AS_IT_IS = {
    "empty": [""],
    "kept": ["on"],
    "many": ["a", "c"],
    "one": ["1"],
    "note": ["first\r\nsecond"],
    "size": ["l"],
}


def page(visitor, enctype=URLENCODED):
    return visitor.get("/upload/", {"enctype": enctype})


def received(response):
    seen = json.loads(response.content)
    assert seen["post"].pop("csrfmiddlewaretoken")
    return seen


def submitted(visitor, data, enctype=URLENCODED):
    return received(visitor.submit(None, data, page(visitor, enctype)))


@pytest.mark.parametrize("enctype", [URLENCODED, MULTIPART, ""])
def test_fields_are_sent_as_the_page_has_them(visitor, enctype):
    seen = submitted(visitor, {}, enctype)
    seen["post"].pop("file", None)
    assert seen["post"] == AS_IT_IS
    assert seen["meta"]["CONTENT_TYPE"].startswith(enctype or URLENCODED)


@pytest.mark.parametrize("enctype", [URLENCODED, MULTIPART])
def test_repeated_values_are_all_sent(visitor, enctype):
    seen = submitted(visitor, {"many": ["b", "c"], "size": "s", "one": 2}, enctype)
    assert (seen["post"]["many"], seen["post"]["size"]) == (["b", "c"], ["s"])
    assert seen["post"]["one"] == ["2"]


def test_a_checkbox_is_ticked_or_left_out(visitor):
    seen = submitted(visitor, {"agreed": True, "kept": False})
    assert seen["post"]["agreed"] == ["on"]
    assert "kept" not in seen["post"]


def test_a_file_is_sent_by_a_form_that_sends_files(visitor):
    for enctype, files, text in [
        (MULTIPART, {"file": ["a.txt", "x"]}, None),
        (URLENCODED, {}, ["a.txt"]),
    ]:
        file = io.BytesIO(b"x")
        file.name = "/tmp/a.txt"  # noqa: S108
        seen = submitted(visitor, {"file": file}, enctype)
        assert seen["files"] == files
        assert seen["post"].get("file") == text


def test_none_is_no_value(visitor):
    with pytest.raises(TypeError, match="empty"):
        submitted(visitor, {"empty": None})


def test_a_disabled_field_is_not_sent(visitor):
    assert "off" not in submitted(visitor, {})["post"]


def test_the_pressed_button_is_sent(visitor):
    assert received(visitor.press("Go", page(visitor)))["post"]["go"] == ["1"]
    assert "go" not in submitted(visitor, {})["post"]


def test_a_button_may_go_elsewhere(visitor):
    response = visitor.press("Look", page(visitor), {"one": "2"})
    assert response.request["PATH_INFO"] == "/a/echo/"
    assert "one=2" in response.request["QUERY_STRING"]


@pytest.mark.parametrize(
    ("button", "data"), [("Idle", {}), ("Lost", {}), ("Gone", {}), ("Go", {"other": "1"})]
)
def test_what_the_page_does_not_offer_is_not_sent(visitor, button, data):
    opened = page(visitor)
    with pytest.raises(AssertionError):
        visitor.press(button, opened, data)
    assert len(visitor.exchanges) == 1


def test_a_form_without_action_keeps_the_query(visitor):
    response = visitor.submit("/form/", {"a": "x"}, "/form/?next=/")
    assert response.request["QUERY_STRING"] == "next=/"


def test_an_empty_page_has_no_form(visitor):
    with pytest.raises(AssertionError, match="no form"):
        visitor.submit("/unreadable/blank/")
