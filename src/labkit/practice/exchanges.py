"""Show the requests and responses of a failing test in a few lines."""

import re

from labkit.testing.pytest_runner import Outcome

# The same strings are in labkit.testing.failure_report, which cannot be imported without Django.
HEADING, MOVED = "last exchanges of ", "the clock moved by {seconds} s"
NOT_SHOWN = ("csrftoken", "(none sent)")  # cookies that are not shown
LONGEST, LONGEST_PAGE = 96, 200  # the maximum number of characters of a line, and of a page's text
PAGE = "  The page says: "
EXCHANGE = re.compile("[A-Z]+ http|the clock moved")
MOVE = re.compile(MOVED.format(seconds=r"(-?\d+)"))
SAFE = ("GET ", "HEAD ")  # methods that do not change anything
EXPIRES = re.compile("expires=[^;]+; ")  # the attribute Max-Age has the same information
VALUE = re.compile(r"(=[\w:.-]{12})[\w:.-]{8,}")  # the value of a session key or a signed cookie


def exchanges_of(test: Outcome) -> list[list[str]]:
    """Return the last request that changed something, and the last one, as short lines.

    Only the first visitor's requests are shown. If the clock was moved in between, a line says how
    far.
    """
    for title, text in test.sections:
        if title.startswith(HEADING):
            blocks = [block for block in text.split("\n\n") if EXCHANGE.match(block)]
            exchanges = [block for block in blocks if not MOVE.fullmatch(block)]
            changing = [block for block in exchanges[:-1] if not block.startswith(SAFE)][-1:]
            start = blocks.index(changing[0]) if changing else 0
            seconds = sum(
                int(found[1]) for each in blocks[start:] if (found := MOVE.fullmatch(each))
            )
            moved = [[f"{MOVED.format(seconds=seconds).capitalize()}."]] if seconds else []
            return [*map(_lines, changing), *moved, *map(_lines, exchanges[-1:])]
    return []


def _lines(block: str) -> list[str]:
    """Return the lines for an exchange: request and status, cookies sent and set, and the page."""
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
    lines = [_shorten(VALUE.sub(r"\1…", EXPIRES.sub("", line)), LONGEST) for line in lines]
    return [*lines, _shorten(f"{PAGE}{page}", LONGEST_PAGE)] if page else lines


def _shorten(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
