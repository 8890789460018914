"""Random Set-Cookie lines from Hypothesis, for comparing the jar with Chromium."""

import random
from dataclasses import dataclass
from itertools import cycle

from cookie_steps import (
    ADDRESS,
    ADDRESS_6,
    DEEP,
    DOTTED,
    DOTTED_HOME,
    DOTTED_TOP,
    HOME,
    PLAIN,
    SECURE,
    SUB,
    TOP,
    UK,
    UMLAUT,
)
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

LINES = 8  # the number of lines in each response: one for each class of dates
LEAST = 50  # the minimum number of lines of each class among LINES_IN_CI
LINES_IN_CI = 500
SEEDS_IN_CI = (1, 2)

# {host: similar values of Domain}. Each host has the same number of values, because the host is not
# drawn.
HOSTS = {
    HOME: ("lab03.localhost", "localhost", "shop.lab03.localhost", "lab03.localhost."),
    SUB: ("lab03.localhost", "localhost", "shop.lab03.localhost", "lab04.localhost"),
    DEEP: ("shop.lab03.localhost", "lab03.localhost", "a.shop.lab03.localhost", "b.localhost"),
    TOP: ("localhost", "localhost.", "lab03.localhost", "127.0.0.1"),
    DOTTED_TOP: ("localhost.", "localhost", "localhost..", "lab03.localhost."),
    DOTTED_HOME: ("lab03.localhost.", "lab03.localhost", "localhost.", "a.lab03.localhost."),
    ADDRESS: ("127.0.0.1", "0.0.1", "127.1", "[127.0.0.1]"),
    ADDRESS_6: ("[::1]", "::1", "[0:0:0:0:0:0:0:1]", "127.0.0.1"),
    PLAIN: ("shop.example", "www.shop.example", "example", "ashop.example"),
    SECURE: ("shop.example", "www.shop.example", "example", "ashop.example"),
    DOTTED: ("shop.example.", "shop.example", "example.", "www.shop.example."),
    UMLAUT: ("xn--bcher-kva.example", "bücher.example", "example", "www.bücher.example"),
    UK: ("shop.co.uk", "co.uk", "uk", "www.shop.co.uk"),
}
PATHS = ("/", "/x", "/x/", "/x/y", "/x/y/z", "/x%20y/", "/अ/y")

PREFIXES = {  # class -> (prefix, required attributes)
    "no prefix": ("", "Path=/"),
    "__Secure-": ("__Secure-", "Secure"),
    "__Host-": ("__Host-", "Secure; Path=/"),
    "__Http-": ("__Http-", "Secure; HttpOnly"),
    "__Host-Http-": ("__Host-Http-", "Secure; HttpOnly; Path=/"),
    "a prefix without a name": ("", "Secure"),
}
EVICTED = [
    f"; Priority={priority}{more}"
    for priority in ("Low", "Medium", "High")
    for more in ("", "; Secure")
]
PRETENDED = ("__Host-", "__secure-", "__Http", "__HOST-HTTP-", "", "_")

MONTHS = ("Jan", "feb", "MARCH", "Apr", "May", "june", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec")
TOKENS = ("31", "7", "5x", "Octo", "Dec", "x", "99", "70", "2101", "12345", "1:2:3", "23:59:59")

one_of = st.sampled_from
text = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters=";")
    | one_of("éअ時\t\x01\x7f"),
    max_size=8,
)


def number(least, most, width=2):
    """Return a strategy for a number in this range, with or without leading zeros."""
    return st.builds(str.zfill, st.integers(least, most).map(str), st.integers(0, width))


def joined(by, *parts):
    """Return a strategy that joins these strings and strategies with `by`."""
    return st.tuples(*[st.just(p) if isinstance(p, str) else p for p in parts]).map(by.join)


day = number(1, 28)
month = one_of(MONTHS)
# These times are far from the present, so that a slow run does not change the results.
year = st.one_of(st.integers(1971, 2020), st.integers(2094, 2160)).map(str)
clock = joined(":", number(0, 23), number(0, 59), number(0, 59))
far_year = st.one_of(number(1, 1700, 6), number(3000, 99_999, 6), number(100_000, 999_999))
odd_clock = st.one_of(
    joined(":", number(0, 25, 6), number(0, 61, 6), number(0, 61, 6)),
    st.lists(number(0, 60), min_size=1, max_size=5).map(":".join),
    one_of(("4294967295:0:0", "4294967296:0:0 1:2:3", "1:2:3x", "x1:2:3", "1::3", "१:२:३")),
)
tokens = one_of(TOKENS)
separators = st.text("\t !\"#$%&'()*+,-./<=>?@[\\]^_`{|}~", min_size=1, max_size=2)
DATES = {  # class -> values of Expires
    "RFC 1123": joined(" ", "Sun,", day, month, year, clock, "GMT"),
    "two-digit year": joined(" ", "Sunday,", joined("-", day, month, number(0, 99)), clock, "GMT"),
    "asctime": joined(" ", "Sun", month, day, clock, year),
    "no such day": joined(" ", "Sun,", number(29, 33), month, year, clock, "GMT"),
    "far year": joined(" ", number(1, 31), month, far_year, clock),
    "odd time": joined(" ", "Sun,", day, month, year, odd_clock),
    "odd order": st.builds(str.join, separators, st.lists(tokens, min_size=3, max_size=9)),
    "no date": text,
}


def named(name, *values):
    """Return a strategy for an attribute whose value is one of these strings or strategies."""
    return joined("=", name, st.one_of(*[st.just(v) if isinstance(v, str) else v for v in values]))


def attributes(url):
    """Return {class: strategy for the attribute's text} for cookies that this host sets."""
    domains = one_of((*HOSTS[url], "", ".", "..", "other.example"))
    odd_ages = ("", "+3600", "+", "3600x", "36 00", f"{2**63 - 1}x", f"{2**63 - 2}x", "9" * 30)
    return {
        "Path": named("Path", one_of(PATHS), one_of(("", "x", '"/"', "//", "/x y", "/अ"))),
        "Domain": named("Domain", domains, domains.map(str.upper), domains.map(".{}".format)),
        "Max-Age": named(
            "Max-Age",
            st.integers(3600, 10**20).map(str),
            st.integers(-(10**20), 0).map(str),
            one_of(odd_ages),
        ),
        "Secure": one_of(("Secure", "secure", "SECURE=no")),
        "HttpOnly": one_of(("HttpOnly", "httponly=0")),
        "SameSite": named("samesite", "Strict", "lax", "NONE", "None; Secure", "", '"Lax"'),
        "Priority": named("Priority", "Low", "medium", "HIGH", "", "Highest"),
        "Partitioned": one_of(("Partitioned", "partitioned=x", "Partitioned; Secure")),
        "unknown": st.one_of(text, named("X", text), named("X", "y" * 1025)),
    }


@dataclass(frozen=True)
class Line:
    """A Set-Cookie value, and the classes of its parts."""

    text: str
    classes: frozenset[str]


@dataclass(frozen=True)
class Visit:
    """A response from `url` with these lines, and then a request to `then` on the same host.

    script: True if a script on the page at `url` assigns the lines to document.cookie instead.
    """

    url: str
    lines: tuple[Line, ...]
    then: str
    script: bool = False


@st.composite
def lines(draw, url, prefix, date, stem):
    """Draw a line of these classes whose name or value contains `stem`."""
    head, needs = PREFIXES[prefix]
    if prefix == "a prefix without a name":
        pair = draw(one_of(("=", " = ", ""))) + draw(one_of(PRETENDED)) + stem
    else:
        head = draw(one_of((head, head, head.lower(), head.upper())))
        pair = f"{head}{stem}={draw(text)}"
    known = attributes(url) | {"Expires": named("Expires", DATES[date])}
    chosen = draw(st.lists(one_of(tuple(known)), min_size=3, max_size=6))
    if date == "no date" and draw(st.booleans()):
        chosen = [name for name in chosen if name != "Expires"]
    elif "Expires" not in chosen:
        chosen.append("Expires")
    parts = [draw(known[name]) for name in chosen]
    # Without the attributes that the prefix needs, few lines would be valid.
    if draw(st.booleans()):
        parts.append(needs)
    return Line("; ".join([pair, *parts]), frozenset({prefix, date, *chosen}))


@st.composite
def visits(draw, host):
    """Draw a visit whose lines are of different classes; some repeat an earlier name."""
    prefixes = draw(st.permutations(list(PREFIXES)))
    dates = draw(st.permutations(list(DATES)))
    drawn = []
    for index in range(LINES):
        stem = f"c{draw(st.integers(0, index)) if draw(st.integers(0, 3)) == 0 else index}"
        prefix, date = prefixes[index % len(prefixes)], dates[index % len(dates)]
        drawn.append(draw(lines(host, prefix, date, stem)))
    path, then = draw(one_of(PATHS)), draw(one_of(PATHS))
    return Visit(host + path, tuple(drawn), host + then, script=draw(st.integers(0, 7)) == 0)


def draw_eviction(number):
    """Return a visit that sets too many cookies, of all priorities; `number` is the random seed."""
    pick = random.Random(number)
    weights = [pick.random() for _ in range(6)]
    kinds = pick.choices(EVICTED, weights, k=pick.choice([181, 220]))
    pairs = (f"c{n}={'x' * pick.choice([0, 50, 90])}" for n in range(len(kinds)))
    lines = [Line(f"{p}; Path=/{kind}", frozenset()) for p, kind in zip(pairs, kinds, strict=True)]
    return Visit(HOME + "/", tuple(lines), HOME + "/")


def draw_visits(number, lines):
    """Yield the visits for this seed, to the hosts in turn, with `lines` lines in total."""
    drawn, hosts = [], cycle(HOSTS)

    @seed(number)
    @settings(
        max_examples=-(-lines // LINES),
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def collect(data):
        drawn.append(data.draw(visits(next(hosts))))

    collect()
    return drawn[: -(-lines // LINES)]  # Hypothesis also runs some examples that it does not count
