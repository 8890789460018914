"""Read the labs' pages as a person would: their text, a cart or a count."""

import lxml.html
from django.http import HttpResponseBase


def text(response: HttpResponseBase) -> str:
    """Return the decoded HTML of a page."""
    return response.content.decode(response.charset)


def words(response: HttpResponseBase) -> str:
    """Return the visible text of a page, with whitespace collapsed."""
    body = lxml.html.document_fromstring(text(response)).find(".//main")
    return " ".join(body.text_content().split())


def says_why(response: HttpResponseBase) -> bool:
    """Return whether the response is a page of the lab that explains what went wrong."""
    page = lxml.html.document_fromstring(text(response)).find(".//main")
    said = page is not None and (page.findall("p") + page.find_class("errorlist"))
    return bool(said and page.find("h1") is not None)


def notices(response: HttpResponseBase) -> list[str]:
    """Return the notices on a page, such as one about a session key that matches no session."""
    page = lxml.html.document_fromstring(text(response))
    return [notice.text_content() for notice in page.find_class("notice")]


def surprises(response: HttpResponseBase) -> list[str]:
    """Return the keys of the surprises that a page explains. docs/teaching.md lists all keys."""
    page = lxml.html.document_fromstring(text(response))
    return [str(key) for key in page.xpath("//@data-surprise")]


def facts(response: HttpResponseBase) -> list[str]:
    """Return the answers to the questions on a page, in order, with whitespace collapsed."""
    answers = lxml.html.document_fromstring(text(response)).iterfind(".//main//dd")
    return [" ".join(answer.text_content().split()) for answer in answers]


def form_errors(response: HttpResponseBase) -> str:
    """Return the text of a page's form errors, whatever their markup."""
    page = lxml.html.document_fromstring(text(response))
    errors = page.xpath("//main//*[@role='alert' or contains(@class, 'error')]")
    return " ".join(error.text_content().strip() for error in errors)


def table(response: HttpResponseBase) -> dict[str, int]:
    """Return the items in a cart's table as {name: quantity}, from its first two columns."""
    goods = {}
    for row in lxml.html.document_fromstring(text(response)).iterfind(".//tbody/tr"):
        name, quantity = row.xpath("./th | ./td")[:2]
        goods[name.text_content()] = int(quantity.text_content())
    return goods


def has_table(response: HttpResponseBase) -> bool:
    """Return whether a page has a table, even an empty one."""
    return lxml.html.document_fromstring(text(response)).find(".//table") is not None


def number(response: HttpResponseBase) -> int:
    """Return the number of visits on the page of a page count."""
    (element,) = lxml.html.document_fromstring(text(response)).find_class("number")
    return int(element.text_content())
