"""Any text as part of a cookie's name, and back."""

from collections.abc import Mapping
from urllib.parse import quote, unquote

LONGEST = 500  # bytes of encoded text: percent-encoded, 41 characters of four UTF-8 bytes each


def cookie_name(prefix: str, text: str) -> str:
    """`prefix` and the percent-encoded `text`.

    Only a token may name a cookie, so no space, comma, semicolon or non-ASCII letter (RFC 6265
    section 4.1.1); a prefix also keeps a name such as "path" or "sessionid" from being taken for
    something else.
    """
    return prefix + quote(text, safe="")


def texts(prefix: str, cookies: Mapping[str, str]) -> dict[str, str]:
    """{text: value} for each of `cookies` whose name cookie_name() could have made from a text.

    A text is not empty and has no white space around it, as a form's field gives it. Cookies of any
    other name are left out: a browser may send what it likes.
    """
    found = {}
    for name, value in cookies.items():
        text = unquote(name.removeprefix(prefix))
        short = len(name) <= len(prefix) + LONGEST
        if short and text and text == text.strip() and name == cookie_name(prefix, text):
            found[text] = value
    return found
