"""Encode any text as part of a cookie's name, and decode it again."""

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote, unquote

LONGEST = 500  # in bytes, after percent-encoding; enough for 41 characters of four UTF-8 bytes each


def cookie_name(prefix: str, text: str) -> str:
    """Return `prefix` followed by the percent-encoded `text`.

    A cookie's name must be a token: no spaces, commas, semicolons or non-ASCII letters (RFC 6265
    section 4.1.1). The prefix also keeps text such as "path" or "sessionid" apart from other
    cookies and attributes.
    """
    return prefix + quote(text, safe="")


def names_from_cookies(prefix: str, cookies: Mapping[str, str]) -> dict[str, str]:
    """Return {text: value} for each cookie whose name cookie_name() could have returned.

    The text is not empty, and has no leading or trailing white space. Cookies with other names are
    ignored, since a browser may send anything.
    """
    found, longest = {}, len(prefix) + LONGEST
    for name, value in cookies.items():
        if name.startswith(prefix) and len(name) <= longest and (text := _text_in(prefix, name)):
            found[text] = value
    return found


@lru_cache(maxsize=1000)  # a page needs the same names several times
def _text_in(prefix: str, name: str) -> str:
    """Return the text in a cookie's name, or "" if cookie_name() could not have returned it."""
    text = unquote(name.removeprefix(prefix))
    return text if text == text.strip() and name == cookie_name(prefix, text) else ""


def lab_number(name: str, own: str = "") -> str | None:
    """Return the number of the lab that a cookie's name contains, such as "03"; None if none.

    own: the number of this lab, which may be that of a copy, such as "mine". Only the first number
    counts, because text that a visitor entered may follow it.
    """
    either = f"{re.escape(own)}|[0-9]{{2}}" if own else "[0-9]{2}"
    found = re.search(f"_({either})(?=_|$)", name)
    return found[1] if found else None
