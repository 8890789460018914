"""Show the requests and responses of a failing test in a few lines."""

import re

from labkit.testing.pytest_runner import Outcome

HEADING = "last exchanges of "  # of labkit.testing.failure_report
NOT_SHOWN = ("csrftoken", "(none sent)")  # cookies
LONGEST = 96  # characters of a line
SAFE = ("GET ", "HEAD ")  # methods that change nothing
EXPIRES = re.compile("expires=[^;]+; ")  # Max-Age says the same
VALUE = re.compile(r"(=[\w:.-]{12})[\w:.-]{8,}")  # of a session key or a signed value


def exchanges_of(test: Outcome) -> list[list[str]]:
    """Return the last change and the last exchange of the first visitor, as short lines."""
    for title, text in test.sections:
        if title.startswith(HEADING):
            blocks = [block for block in text.split("\n\n") if re.match("[A-Z]+ http", block)]
            changing = [block for block in blocks[:-1] if not block.startswith(SAFE)]
            return [_lines(block) for block in [*changing[-1:], *blocks[-1:]]]
    return []


def _lines(block: str) -> list[str]:
    """Return the lines of one exchange: request and status, cookies sent and set, the page."""
    first, *rest = block.splitlines()
    method, _, url = first.partition(" ")
    path = re.sub(r"^https?://[^/]+", "", url)
    fields = [line.strip() for line in rest if not line.startswith("  | ")]
    page = " / ".join(line[4:] for line in rest if line.startswith("  | "))
    status = next((line for line in fields if re.match(r"\d{3} |no response", line)), "")
    location = next((line[10:] for line in fields if line.startswith("Location: ")), "")
    lines = [f"{method} {path} → {status.partition(',')[0]}{location and f' to {location}'}"]
    for line in fields:
        name, _, value = line.partition(": ")
        if name == "Cookie":
            pairs = [pair for pair in value.split("; ") if not pair.startswith(NOT_SHOWN)]
            lines += [f"  Cookie: {'; '.join(pairs)}"] if pairs else []
        elif name in {"Set-Cookie", "held back"} and not value.startswith(NOT_SHOWN):
            lines.append(f"  {line}")
    lines += [f"  The page says: {page}"] if page else []
    return [_shorten(VALUE.sub(r"\1…", EXPIRES.sub("", line))) for line in lines]


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
