"""Parse the dates in Expires attributes, according to RFC 6265bis (5.1.1) and Chromium."""

import re
from datetime import UTC, datetime

_DELIMITERS = re.compile(r"[\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
# In section 5.1.1, each field of a time has one or two digits and a year has two to four. Other
# characters may follow. Chromium accepts only digits: any 32-bit number in a field of a time, and
# up to five digits in a year.
_TIME = re.compile(r"(\d+):(\d+):(\d+)", re.ASCII)
_DAY = re.compile(r"(\d{1,2})", re.ASCII)
_YEAR = re.compile(r"(\d{1,5})", re.ASCII)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_CALENDAR_YEARS = 400  # the Gregorian calendar repeats after this time
_CALENDAR_SECONDS = 146_097 * 86_400


def parse_date(text: str) -> float | None:
    """Return a cookie date as POSIX seconds, or None if the text is not a date (section 5.1.1).

    The specification rejects years before 1601; Chromium treats them as dates in the past.
    """
    clock: tuple[int, ...] | None = None
    day = month = year = None
    for token in filter(None, _DELIMITERS.split(text)):
        if clock is None and (match := _TIME.fullmatch(token)):
            numbers = tuple(map(int, match.groups()))
            clock = numbers if max(numbers) < 2**32 else None
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
    # datetime ends at year 9999.
    cycles = max(0, year - 2000) // _CALENDAR_YEARS
    try:
        hour, minute, second = clock
        within = year - cycles * _CALENDAR_YEARS
        moment = datetime(within, month, day, hour, minute, second, tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return moment.timestamp() + cycles * _CALENDAR_SECONDS
