"""Cases of the conformance table about Expires, Max-Age and the eviction of cookies."""

from cookie_steps import (
    FUTURE,
    HOME,
    PAST,
    SUB,
    Case,
    Request,
    Set,
    Stored,
    dated,
    lasting,
    numbered,
    pairs,
)

LENIENT = "section 5.1.1 reads one or two digits, and no more than four for a year"
BEFORE_1601 = "section 5.1.1 reads no year before 1601"
OVERFLOW = "section 5.6.2 ignores it, and this would be a session cookie"

TIME_CASES = [
    # A day that does not exist in the month
    dated("30 February long ago", "Wed, 30-Feb-1600 00:00:00 GMT", "session"),
    dated("30 February", "Fri, 30 Feb 2096 00:00:00 GMT", "session"),
    dated("31 April", "Sat, 31 Apr 2100 00:00:00 GMT", "session"),
    dated("31 April in a year with two digits", "Sat, 31-Apr-71 00:00:00 GMT", "session"),
    dated("day 33 in a year of five digits", "Fri, 33-Aug-31841 00:00:00 GMT", "session"),
    dated("day 0", "Fri, 0 Aug 2094 00:00:00 GMT", "session"),
    dated("day 00 long ago", "Fri, 00 Aug 1500 00:00:00 GMT", "session"),
    dated("29 February of a leap year", "Wed, 29 Feb 2096 00:00:00 GMT", "persistent"),
    dated("29 February of 2100, which is not a leap year", "Mon, 29 Feb 2100 00:00:00 GMT", "session"),
    dated("29 February of 1600, a leap year", "Tue, 29 Feb 1600 00:00:00 GMT", "deleted", BEFORE_1601),
    dated("29 February of 1500, not a leap year", "Tue, 29 Feb 1500 00:00:00 GMT", "session"),
    dated("29 February of 32000, a leap year", "Tue, 29 Feb 32000 00:00:00 GMT", "persistent", LENIENT),
    dated("29 February of 31900, not a leap year", "Tue, 29 Feb 31900 00:00:00 GMT", "session"),
    # Years
    dated("30 April 1600", "Sun, 30-Apr-1600 00:00:00 GMT", "deleted", BEFORE_1601),
    dated("the first moment of 1601", "Mon, 01 Jan 1601 00:00:00 GMT", "deleted"),
    dated("a year of three digits", "Mon, 01 Jan 999 00:00:00 GMT", "deleted", BEFORE_1601),
    dated("a year of five digits", "Mon, 30-Aug-31841 00:00:00 GMT", "persistent", LENIENT),
    dated("a year of six digits", "Fri, 31 Dec 100000 23:59:59 GMT", "session"),
    dated("a year of six digits with zeros in front", "Fri, 31 Dec 002100 23:59:59 GMT", "session"),
    dated("a year of five digits with zeros in front", "Fri, 31 Dec 02100 23:59:59 GMT", "persistent", LENIENT),
    dated("a year of one digit", "Fri, 31 Dec 9 23:59:59 GMT", "deleted", LENIENT),
    dated("year 69 in five digits", "Fri, 31 Dec 00069 23:59:59 GMT", "persistent", LENIENT),
    dated("year 70 in five digits", "Fri, 31 Dec 00070 23:59:59 GMT", "deleted", LENIENT),
    # Times
    dated("a time with many zeros", "Fri, 31 Dec 2100 00023:0059:0059 GMT", "persistent", LENIENT),
    dated("a time with one digit each", "Fri, 31 Dec 2100 1:2:3 GMT", "persistent"),
    dated("hour 24", "Fri, 31 Dec 2094 24:00:00 GMT", "session"),
    dated("minute 60", "Fri, 31 Dec 2094 23:60:00 GMT", "session"),
    dated("second 60", "Fri, 31 Dec 2094 23:59:60 GMT", "session"),
    dated("a time without seconds", "Fri, 31 Dec 2094 23:59 GMT", "session"),
    dated("a time of four parts", "Fri, 31 Dec 2094 23:59:59:00 GMT", "session"),
    dated("a fraction of a second", "Fri, 31 Dec 2094 23:59:59.123 GMT", "persistent"),
    dated("the first of two times counts", "Fri, 31 Dec 2094 23:59:59 25:00:00 GMT", "persistent"),
    dated("the second time, if the first has too large a number", "31 Dec 2094 4294967296:0:0 23:59:59", "persistent", LENIENT),
    dated("no second time after a number that just fits", "31 Dec 2094 4294967295:0:0 23:59:59", "session", LENIENT),
    # Order, separators and other text
    dated("no day", "Dec 2100 23:59:59 GMT", "session"),
    dated("no month", "Fri, 31 2100 23:59:59 GMT", "session"),
    dated("no year", "Fri, 31 Dec 23:59:59 GMT", "session"),
    dated("no time", "Fri, 31 Dec 2100", "session"),
    dated("a date of ISO 8601", "2100-12-31T23:59:59Z", "session"),
    dated("a date in quotation marks", f'"{FUTURE}"', "persistent"),
    dated("the year first", "2100 Dec 31 23:59:59", "persistent"),
    dated("the time first", "23:59:59 31 Dec 2100", "persistent"),
    dated("a month in capital letters", "31 DECEMBRE 2100 23:59:59", "persistent"),
    dated("letters of another script", "31 Dec 2100 23:59:59 时间", "persistent"),
    dated("letters of another script at the month", "31 éDec 2100 23:59:59", "session"),
    dated("digits of another script", "३१ Dec 2100 23:59:59", "session"),
    dated("every separator", "31!Dec#2100$23:59:59&GMT", "persistent"),
    dated("an empty Expires", "", "session"),
    # Max-Age
    lasting("a Max-Age beyond 63 bits with a letter after it", "Max-Age=99999999999999999999x", "persistent", OVERFLOW),
    lasting("a negative one with a letter after it", "Max-Age=-99999999999999999999x", "deleted", OVERFLOW),
    lasting("the largest Max-Age, with a letter after it", "Max-Age=9223372036854775807x", "persistent", OVERFLOW),
    lasting("one less, with a letter after it", "Max-Age=9223372036854775806x", "session"),
    lasting("the smallest Max-Age, with a letter after it", "Max-Age=-9223372036854775808x", "deleted", OVERFLOW),
    lasting("one more, with a letter after it", "Max-Age=-9223372036854775807x", "session"),
    lasting("a Max-Age beyond 63 bits", "Max-Age=9223372036854775808", "persistent"),
    lasting("a Max-Age of a thousand digits", "Max-Age=" + "9" * 1000, "persistent"),
    lasting("a Max-Age of more than 1024 bytes is not there", "Max-Age=" + "9" * 1025, "session"),
    lasting("a Max-Age of plus zero", "Max-Age=+0", "deleted", "section 5.6.2 ignores a plus sign"),
    lasting("a Max-Age of minus zero", "Max-Age=-0", "deleted"),
    lasting("a Max-Age with zeros in front", "Max-Age=0003600", "persistent"),
    lasting("a Max-Age with two signs", "Max-Age=--1", "session"),
    lasting("a Max-Age with an exponent", "Max-Age=1e9", "session"),
    lasting("a Max-Age in hexadecimal", "Max-Age=0x10", "session"),
    lasting("a Max-Age in digits of another script", "Max-Age=३६००", "session"),
    lasting("Expires counts where Max-Age cannot be read", f"Max-Age=soon; Expires={PAST}", "deleted"),
    lasting("Expires counts where Max-Age is empty", f"Max-Age=; Expires={FUTURE}", "persistent"),
    # Priority and eviction
    lasting("a Priority", "Priority=High", "session", "RFC 6265bis has no Priority"),
    lasting("an unknown Priority", "Priority=Highest", "session"),
    Case(
        "High priority survives eviction",
        (
            Set(HOME + "/", numbered(1, 20, "; Path=/; Priority=High")),
            Set(HOME + "/", numbered(21, 181)),
            Request(HOME + "/", "; ".join([pairs(1, 20), pairs(52, 181)])),
        ),
        departs="RFC 6265bis has no Priority",
    ),
    Case(
        "of more than 70 with High priority, the surplus goes before Secure ones do",
        (
            Set(HOME + "/", numbered(1, 90, "; Path=/; Priority=High")),
            Set(HOME + "/", numbered(91, 181, "; Path=/; Secure")),
            Request(HOME + "/", "; ".join([pairs(21, 90), pairs(102, 181)])),
        ),
        departs="RFC 6265bis has no Priority",
    ),
    Case(
        "Low priority goes first, down to 30",
        (
            Set(HOME + "/", numbered(1, 131)),
            Set(HOME + "/", numbered(132, 181, "; Path=/; priority=LOW")),
            Request(HOME + "/", "; ".join([pairs(12, 131), pairs(152, 181)])),
        ),
        departs="RFC 6265bis has no Priority",
    ),
    Case(
        "Low priority goes first, even if it is Secure",
        (
            Set(HOME + "/", numbered(1, 100, "; Path=/; Secure; Priority=Low")),
            Set(HOME + "/", numbered(101, 181)),
            Request(HOME + "/", pairs(32, 181)),
        ),
        departs="RFC 6265bis has no Priority",
    ),
    Case(
        "Secure ones go last, but of other ones 50 are not protected",
        (
            Set(HOME + "/", numbered(1, 90, "; Path=/; Secure")),
            Set(HOME + "/", numbered(91, 170, "; Path=/; Secure")),
            Set(HOME + "/", numbered(171, 181)),
            Request(HOME + "/", pairs(21, 170)),
        ),
    ),
    # Partitioned cookies have a limit per partition
    Case(
        "Partitioned cookies of a site have 10,240 bytes",
        (
            Set(HOME + "/", tuple(f"c{n}={'x' * 1022}; Path=/; Secure; Partitioned" for n in range(10))),
            Set(HOME + "/x", ("d=; Secure; Partitioned; Path=/y",)),
            Stored(session=" ".join([*(f"c{n}" for n in range(1, 10)), "d"])),
        ),
        departs="RFC 6265bis has no Partitioned",
    ),
    Case(
        "other cookies are not counted with them",
        (
            Set(HOME + "/", tuple(f"c{n}={'x' * 1022}; Path=/; Secure; Partitioned" for n in range(10))),
            Set(SUB + "/", tuple(f"d{n}={'x' * 1022}; Path=/" for n in range(10))),
            Stored(session=" ".join(f"{letter}{n}" for letter in "cd" for n in range(10))),
        ),
        departs="RFC 6265bis has no Partitioned",
    ),
]  # fmt: skip
