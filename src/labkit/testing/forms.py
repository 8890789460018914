"""Fill in and send a form as a browser does, with the same fields, order and encoding."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import lxml.html
from django.http import HttpResponseBase
from django.test.client import BOUNDARY, encode_multipart

URLENCODED = "application/x-www-form-urlencoded"
# The boundary that Django's test client uses.
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
BUTTON_TYPES = {"submit", "image", "reset", "button"}  # types of input elements


@dataclass(frozen=True)
class Submission:
    """The request that a browser sends for a form."""

    method: str  # "GET" or "POST"
    url: str  # for a GET form, this includes the query
    content_type: str = ""
    body: bytes = b""


def find_form(
    response: HttpResponseBase, page: str, action: str | None, data: Mapping[str, Any]
) -> Any:
    """Return the first form whose URL is `action` and that has all fields and buttons in `data`.

    `page`: the URL of the response. Raise AssertionError if the page has no such form.
    """
    forms = [
        form
        for form in _parse(response).iter("form")
        if action is None or _goes_to(form, page, action)
    ]
    for form in forms:
        if not _unknown(form, data):
            return form
    where = action or "any URL"
    raise AssertionError(
        f"{page} answered {response.status_code} and has no form that goes to {where} and takes "
        f"{dict(data)!r}; it has {len(forms)} forms for that URL"
    )


def find_button(response: HttpResponseBase, page: str, name: str) -> Any:
    """Return the button with this accessible name. Raise AssertionError if there is none."""
    for element in _parse(response).iter("button", "input"):
        if _type_of(element) in {"button", "submit", "image"}:
            text = element.get("value", "") if element.tag == "input" else element.text_content()
            if (element.get("aria-label") or text.strip()) == name:
                return element
    raise AssertionError(f"{page} answered {response.status_code} and has no button {name!r}")


def _parse(response: HttpResponseBase) -> Any:
    html = response.content.decode(response.charset)
    return lxml.html.document_fromstring(html if html.strip() else "<html></html>")


def submit(form: Any, page: str, data: Mapping[str, Any]) -> Submission:
    """Return the request that a form sends with these values. `page`: the URL of the form's page.

    data: {name of a field or button: value}. A list stands for several values. For an open file, a
    multipart form sends the content, and any other form the file's name. True ticks a checkbox, and
    False unticks it. Raises TypeError if a value is None.
    https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#form-submission-algorithm
    """
    return _submission(form, form, page, data)


def press(button: Any, page: str, data: Mapping[str, Any]) -> Submission:
    """Return the request that a button sends; see submit().

    Raise AssertionError if the button is disabled or does not send a form, or if the form has no
    field for a name in `data`.
    """
    form = owner(button)
    if form is None or button.get("type", "submit").lower() not in {"submit", "image"}:
        raise AssertionError("the button sends no form")
    if "disabled" in button.attrib:
        raise AssertionError("the button is disabled")
    if unknown := _unknown(form, data):
        raise AssertionError(f"the button's form has no field for {', '.join(unknown)}")
    pressed = {button.get("name"): button.get("value", "")} if button.get("name") else {}
    return _submission(form, button, page, pressed | dict(data))


def owner(element: Any) -> Any:
    """Return the form to which a field or button belongs, or None."""
    if (identity := element.get("form")) is not None:
        found = element.getroottree().xpath("//form[@id=$identity]", identity=identity)
        return found[0] if found else None
    return next(element.iterancestors("form"), None)


def _goes_to(form: Any, page: str, action: str) -> bool:
    target = urljoin(page, form.get("action") or page)
    return action in {target, target.partition("?")[0]}


def _fields(form: Any) -> Iterator[Any]:
    """Yield the form's fields in the order in which they are on the page."""
    for element in form.getroottree().iter("input", "select", "textarea"):
        if element.get("name") and owner(element) is form:
            yield element


def _unknown(form: Any, data: Mapping[str, Any]) -> list[str]:
    """Return the names in `data` for which the form has no field or button."""
    elements = list(_fields(form))
    elements += [each for each in form.getroottree().iter("button") if owner(each) is form]
    known = {each.get("name") for each in elements if not _is_button(each)}
    buttons = {(each.get("name"), each.get("value", "")) for each in elements if _is_button(each)}
    return [
        name
        for name, value in data.items()
        if name not in known and (name, str(value)) not in buttons
    ]


def _is_button(element: Any) -> bool:
    return element.tag == "button" or _type_of(element) in BUTTON_TYPES


def _type_of(element: Any) -> str:
    return str(element.get("type", "")).lower() if element.tag == "input" else str(element.tag)


def _submission(form: Any, submitter: Any, page: str, data: Mapping[str, Any]) -> Submission:
    def attribute(name: str) -> str:
        return submitter.get(f"form{name}") or form.get(name) or ""

    url = urljoin(page, attribute("action") or page).partition("#")[0]
    pairs = list(_entries(form, data))
    if attribute("method").lower() != "post":
        query = urlencode([(name, _as_text(value)) for name, value in pairs])
        return Submission("GET", urlsplit(url)._replace(query=query).geturl())
    if attribute("enctype").lower() == "multipart/form-data":
        several: dict[str, list[Any]] = {}
        for name, value in pairs:
            several.setdefault(name, []).append(value)
        return Submission("POST", url, MULTIPART, encode_multipart(BOUNDARY, several))
    body = urlencode([(name, _as_text(value)) for name, value in pairs]).encode()
    return Submission("POST", url, URLENCODED, body)


def _as_text(value: Any) -> Any:
    return os.path.basename(str(value.name)) if hasattr(value, "read") else value


def _entries(form: Any, data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the (name, value) pairs to send. Values are text or open files."""
    left = dict(data)
    for field in _fields(form):
        name, kind = field.get("name"), _type_of(field)
        if name not in data:
            if not _is_button(field) and not _disabled(field):
                yield from ((name, value) for value in _values(field, kind))
        elif kind == "checkbox" and isinstance(data[name], bool):
            left.pop(name, None)
            if data[name]:
                yield name, field.get("value", "on")
        elif name in left:
            yield from ((name, value) for value in _given(name, left.pop(name), kind))
    for name, value in left.items():  # the pressed button
        yield from ((name, each) for each in _given(name, value, "button"))


def _given(name: str, value: Any, kind: str) -> Iterator[Any]:
    """Yield the values that a test specifies for a field."""
    several = isinstance(value, Iterable) and not isinstance(value, str | bytes)
    for each in value if several and not hasattr(value, "read") else [value]:
        if each is None:
            raise TypeError(f"{name} is None. Use an empty string, or leave the field out.")
        if hasattr(each, "read") or isinstance(each, bytes):
            yield each
        else:
            yield _with_line_ends(str(each)) if kind == "textarea" else str(each)


def _values(field: Any, kind: str) -> Iterator[str]:
    """Yield the values that a field sends if the visitor does not change it."""
    if kind == "textarea":
        yield _with_line_ends(field.value.removeprefix("\n"))
    elif kind == "select":
        yield from (
            field.value if field.multiple else [field.value] if field.value is not None else []
        )
    elif kind in {"checkbox", "radio"}:
        if field.checked:
            yield field.get("value", "on")
    elif kind != "file":  # without a chosen file, request.FILES has no entry for the field
        yield field.get("value", "")


def _disabled(field: Any) -> bool:
    return "disabled" in field.attrib or bool(field.xpath("ancestor::fieldset[@disabled]"))


def _with_line_ends(text: str) -> str:
    return re.sub("\r\n|\r|\n", "\r\n", text)
