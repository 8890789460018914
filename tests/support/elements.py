"""Find elements of a page by XPath."""

import lxml.html


def find(page, path):
    """Return the elements or attribute values that match this XPath."""
    return lxml.html.document_fromstring(page).xpath(path)


def texts(page, path):
    """Return the text of each element that matches this XPath, on one line."""
    return [" ".join(element.text_content().split()) for element in find(page, path)]


def links(page, path="//a"):
    """Return {text: URL} of the links that match this XPath."""
    return {" ".join(a.text_content().split()): a.get("href") for a in find(page, path)}
