"""Parse the dates of Expires attributes, as RFC 6265bis, section 5.1.1, and Chromium do."""

import math
import re
from datetime import UTC, datetime

_DELIMITERS = re.compile(r"[\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
# Section 5.1.1 lets other characters follow the digits and gives a year two to four digits.
# Chromium accepts digits only, and any number of them for a year.
_TIME = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})", re.ASCII)
_DAY = re.compile(r"(\d{1,2})", re.ASCII)
_YEAR = re.compile(r"(\d+)", re.ASCII)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


def parse_date(text: str) -> float | None:
    """Return a cookie date as POSIX seconds, or None if it is not a date (section 5.1.1)."""
    clock = day = month = year = None
    for token in filter(None, _DELIMITERS.split(text)):
        if clock is None and (match := _TIME.fullmatch(token)):
            clock = tuple(map(int, match.groups()))
        elif day is None and (match := _DAY.fullmatch(token)):
            day = int(match[1])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS.index(token[:3].lower()) + 1
        elif year is None and (match := _YEAR.fullmatch(token)):
            year = int(match[1])
    if clock is None or day is None or month is None or year is None:
        return None
    if 70 <= year <= 99:
        year += 1900
    elif 0 <= year <= 69:
        year += 2000
    if year < 1601:  # section 5.1.1 fails here, Chromium reads a date long ago
        return 0.0
    if year > 9999:
        return math.inf
    try:
        hour, minute, second = clock
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        return None
