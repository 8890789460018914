"""Explain a failed assertion in plain words."""

import ast
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

BROKEN_PROMISES = {  # {a check of labkit.testing.response_checks: a sentence that explains it}
    "illegal Set-Cookie": "The response sets a cookie with characters that no cookie may have.",
    "Set-Cookie too large": "The response sets a cookie of more than 4096 bytes.",
    "cookie refused by the browser": "The browser refuses a cookie that the response sets.",
    "header that cannot be sent": "A header of the response has characters that cannot be sent.",
    "server error": "The response is a server error.",
    "traceback": "The page shows a traceback.",
}
# Matches "assert left == right" in pytest's message; quoted text may contain any of these words.
TEXT = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|.+?"""
COMPARED = re.compile(rf"(?:AssertionError: )?assert ({TEXT}) (==|!=|not in|in|is not|is) (.+)")
BARE = re.compile(r"(?:AssertionError: )?assert (not )?(.+)")
FOUND = {
    "==": "{what} is {0}, but should be {1}.",
    "!=": "{what} is {0}, but should be something else.",
    "in": "{0} is missing in {1}.",
    "not in": "{0} should not be in {1}.",
    "is": "{what} is {0}, but should be {1}.",
    "is not": "{what} is {0}, but should be something else.",
}
DIFFERENCES = {  # pytest's lines about two dictionaries
    r"Differing items:\n\s*(\{.*\}) != (\{.*\})$": "It has {0}, but should have {1}.",
    r"Left contains \d+ more items?:\n\s*(\{.*\})$": "It should not have {0}.",
    r"Right contains \d+ more items?:\n\s*(\{.*\})$": "It should have {0}.",
}
ONE_OF = "{what} is {0}, but should be one of {1}."
TRUE, FALSE = "{what} is {0}, but should be true.", "{what} is {0}, but should be false."
EXPECTED = "Expected: {code}"
NOT_SO = "This does not hold."
CONTAINER = re.compile(r"[{(\[](.+)[})\]]")
SHORTENED = re.compile(r"\{.*\.\.\..*\}|\[.*\.\.\..*\]")  # shortened by pytest
# From 2017 to 2033, which includes the time of the tests' clock.
UNIX_TIME = re.compile(r"1[5-9]\d{8}(\.\d+)?")
LONGEST = 160  # the maximum number of characters of a value in a sentence
LONGEST_CODE = 100


def is_assertion(error: str) -> bool:
    """Return whether this line of pytest's message reports a failed assertion, not an exception."""
    return error.startswith(("AssertionError", "assert", "labkit.testing.response_checks."))


def find_assertion(places: Sequence[tuple[str, int]], stage: Path) -> ast.expr | None:
    """Return the expression of the `assert` at the end of a traceback, or None if there is none."""
    if not places:
        return None
    path, line = places[-1]
    try:
        tree = ast.parse((stage / path).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None
    found = (n for n in ast.walk(tree) if isinstance(n, ast.Assert) and n.lineno == line)
    return next((node.test for node in found), None)


def explain_assertion(error: str, code: ast.expr | None = None, difference: str = "") -> str:
    """Return a sentence for the first line of a failed assertion, without pytest's own terms.

    code: the false expression, as written in the test.
    difference: the other lines of pytest's message, which are used if pytest has shortened the
        first one.
    """
    broken = re.match(r"(?:[\w.]+\.)?BrokenPromise: ([^:\n]+)", error)
    if broken and broken[1] in BROKEN_PROMISES:
        return BROKEN_PROMISES[broken[1]]
    if not is_assertion(error):
        return shorten(error)
    is_bare = code is not None and not isinstance(code, ast.Compare)
    if not is_bare and (match := COMPARED.fullmatch(error)):
        left, sign, right = match.groups()
        if sign == "==" and any(map(SHORTENED.fullmatch, (left, right))):
            sentences = [
                text.format(*map(shorten, each.groups()))
                for pattern, text in DIFFERENCES.items()
                for each in re.finditer(pattern, difference, re.M)
            ]
            if sentences:
                return " ".join(sentences[:2])
        side = code.left if isinstance(code, ast.Compare) else None
        if found := _explain_comparison(left, sign, right, side):
            return found
    match = BARE.fullmatch(error)
    if code and is_bare and match and _is_literal(match[2]):
        value = code.operand if isinstance(code, ast.UnaryOp) else code
        if what := _name(value, LONGEST_CODE):
            return (FALSE if match[1] else TRUE).format(shorten(match[2]), what=what)
    text = ast.unparse(code) if code else ""
    return EXPECTED.format(code=text) if 0 < len(text) <= LONGEST_CODE else NOT_SO


def _explain_comparison(left: str, sign: str, right: str, code: ast.expr | None) -> str:
    """Return a sentence for a comparison, or "" if one of the sides is not readable.

    code: the left side, as written in the test.
    """
    what = _name(code) or "It"
    members = CONTAINER.fullmatch(right)
    if sign == "in" and members and left.isdecimal() and re.fullmatch(r"[\d, ]+", members[1]):
        statuses = " or ".join(map(_name_status, re.findall(r"\d+", right)))
        return FOUND["=="].format(_name_status(left), statuses, what=what)
    if not all(map(_is_literal, (left, right))):
        if all(_is_literal(side) or SHORTENED.fullmatch(side) for side in (left, right)):
            return FOUND[sign].format(shorten(left), shorten(right), what=what)
        return ""
    sides = ast.literal_eval(left), ast.literal_eval(right)
    if sign == "==" and isinstance(code, ast.Tuple) and isinstance(sides[1], tuple):
        for part, *pair in zip(code.elts, *sides, strict=False):
            if pair[0] != pair[1]:
                what = _name(part, LONGEST_CODE) or "A part of it"
                return FOUND["=="].format(*(shorten(repr(side)) for side in pair), what=what)
    if what == "It" and any(isinstance(side, bool) for side in sides):
        return ""  # a sentence such as "It is False" would not help
    if sign == "in" and members and isinstance(sides[1], set | tuple | list) and what != "It":
        return ONE_OF.format(shorten(left), members[1], what=what)
    if all(UNIX_TIME.fullmatch(side) for side in (left, right)):
        left, right = (f"{datetime.fromtimestamp(float(s), UTC):%Y-%m-%d %H:%M:%S}" for s in sides)
    elif left.isdecimal() and right.isdecimal() and sign == "==":
        left, right = _name_status(left), _name_status(right)
    return FOUND[sign].format(shorten(left), shorten(right), what=what)


def _name(code: ast.expr | None, longest: int = 0) -> str:
    """Return the source code of an attribute, or of other code up to a length; otherwise ""."""
    text = ast.unparse(code) if code else ""
    is_attribute = isinstance(code, ast.Attribute) and isinstance(code.value, ast.Name)
    return text if is_attribute or len(text) <= longest else ""


def _is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _name_status(number: str) -> str:
    """Return a status such as "422 Unprocessable Entity"; return any other number unchanged."""
    known = {str(status.value): status.phrase for status in HTTPStatus}
    return f"{number} {known.get(number, '')}".rstrip()


def shorten(text: str) -> str:
    """Return a text, cut after LONGEST characters."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
