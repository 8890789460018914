"""One table of what a browser does with cookies, for the visitor's jar and for Chromium alike.

A case is a few steps: what a server sets, what the browser does, and what a server then gets to see.
Where Chromium departs from RFC 6265bis, the case says so in `departs`, and the jar does as Chromium does.
Out of this table's reach, since it has no TLS and cannot wait for two minutes: cookies over https, the
end of the time in which a cookie without SameSite goes along with a form, and what a use more than a
minute ago does to the order of eviction. tests/http/test_jar.py holds the jar to these.
"""

from dataclasses import dataclass

# Loopback names: trustworthy, so Secure works over plain http. labNN.localhost are sites of their own.
HOME = "http://lab03.localhost"
SUB = "http://shop.lab03.localhost"
DEEP = "http://a.shop.lab03.localhost"
OTHER = "http://lab04.localhost"
ADDRESS = "http://127.0.0.1"
# A name that is not loopback: plain http there is not trustworthy.
PLAIN = "http://www.shop.example"


@dataclass(frozen=True)
class Set:
    """A person opens `url`; its answer has these Set-Cookie lines."""

    url: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Script:
    """A script on the page at `url` assigns this to document.cookie."""

    url: str
    line: str


@dataclass(frozen=True)
class Request:
    """A request to `url` carries this Cookie header, and no other.

    `by`: "person" types the address; "link", "form" (POST) and "image" are on the page at `page`;
    "script" reads document.cookie there.
    """

    url: str
    header: str
    by: str = "person"
    page: str = ""


@dataclass(frozen=True)
class Age:
    """This many seconds go by."""

    seconds: float


@dataclass(frozen=True)
class Wait:
    """As Age, but Chromium waits for it: its own clock ends the cookie."""

    seconds: float


@dataclass(frozen=True)
class Reopen:
    """The browser is closed and opened again; with `blocked`, with all cookies blocked from then on."""

    blocked: bool = False


Step = Set | Script | Request | Age | Wait | Reopen


@dataclass(frozen=True)
class Case:
    """One case; `departs` says where Chromium does not do as RFC 6265bis says.

    `shows` is the claim of labs/claims.toml that it shows, if any.
    """

    name: str
    steps: tuple[Step, ...]
    departs: str = ""
    shows: str = ""


def plain(name: str, lines: str | list[str], sent: str, url: str = HOME, **kw: str) -> Case:
    """Set these at `url` + "/", see what goes to the same address."""
    lines = [lines] if isinstance(lines, str) else lines
    return Case(name, (Set(url + "/", tuple(lines)), Request(url + "/", sent)), **kw)


def at(name: str, set_at: str, line: str, asked: str, sent: str, departs: str = "") -> Case:
    """Set this at one address, see what goes to another."""
    return Case(name, (Set(set_at, (line,)), Request(asked, sent)), departs)


def from_elsewhere(name: str, attributes: str, by: str, sent: str, page: str = OTHER, **kw) -> Case:
    """Set a cookie at home, then let a page of another site cause a request to it."""
    set_it = Set(HOME + "/", (f"a=b{attributes}",))
    return Case(name, (set_it, *kw.get("then", ()), Request(HOME + "/", sent, by, page + "/")))


def numbered(first: int, last: int, attributes: str = "; Path=/") -> tuple[str, ...]:
    return tuple(f"c{number}=1{attributes}" for number in range(first, last + 1))


def pairs(first: int, last: int) -> str:
    return "; ".join(f"c{number}=1" for number in range(first, last + 1))


CASES = [
    # The pair
    plain("name and value", "a=b", "a=b"),
    plain("white space around name and value goes", " \t a \t = \t b \t ; Path=/", "a=b"),
    plain("a space inside a value stays", "a=b  c", "a=b  c"),
    plain("a tab inside a value", "a=b\tc", "", departs="section 5.6 allows the tab"),
    plain("a tab inside a name", "a\tb=c", "", departs="section 5.6 allows the tab"),
    plain("a tab inside an attribute", "a=b; Path=/\t; X=\ty", "a=b"),
    plain("the first equals sign divides", "a=b=c", "a=b=c"),
    plain("an empty value", "a=", "a="),
    plain("no equals sign: a value without a name", "abc", "abc"),
    plain("nothing before the equals sign", "=abc", "abc"),
    plain("neither name nor value", ["=", ";", "a=b"], "a=b"),
    plain("quotation marks belong to the value", 'a="b c"', 'a="b c"'),
    plain("a semicolon ends the value even in quotation marks", 'a="b;c"', 'a="b'),
    plain("a comma is part of the value", "a=b,c=d", "a=b,c=d"),
    plain("backslash and percent mean nothing", r"a=b\073%20c", r"a=b\073%20c"),
    plain("letters of any script", "अ=ब", "अ=ब"),
    plain("names differ in case", ["a=1", "A=2"], "a=1; A=2"),
    plain("a name that is an attribute's", "path=x; Path=/", "path=x"),
    plain("a control character", "a=b\x01c", ""),
    plain("DEL", "a=b\x7fc", ""),
    plain("a control character in an attribute", "a=b; Path=/\x01", ""),
    # Sizes
    plain("name and value of 4096 bytes", "abc=" + "x" * 4093, "abc=" + "x" * 4093, shows="C23"),
    plain("name and value of 4097 bytes", "abc=" + "x" * 4094, "", shows="C23"),
    plain("a name of 4096 bytes", "n" * 4096 + "=", "n" * 4096 + "="),
    plain("bytes count, not characters", "a=" + "é" * 2048, ""),
    plain("attributes do not count", "a=" + "x" * 4000 + "; Path=/; X=" + "y" * 500, "a=" + "x" * 4000),
    plain("an attribute over 1024 bytes is not there", "a=b; Path=/" + "x" * 1024, "a=b"),
    # Replacing and deleting
    plain("the second of a name replaces the first", ["a=1", "a=2"], "a=2"),
    plain("another path is another cookie", ["a=1; Path=/", "a=2; Path=/x"], "a=1"),
    plain("Max-Age=0 deletes", ["a=1", "a=; Max-Age=0"], ""),
    plain("a negative Max-Age deletes", ["a=1", "a=; Max-Age=-1"], ""),
    plain("an end in the past deletes", ["a=1", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], ""),
    plain("deleting with another path deletes nothing", ["a=1", "a=; Path=/x; Max-Age=0"], "a=1"),
    Case(
        "deleting with another domain deletes nothing",
        (
            Set(SUB + "/", ("a=1", "a=; Domain=lab03.localhost; Max-Age=0")),
            Request(SUB + "/", "a=1"),
        ),
    ),
    # Order
    plain("the older one first", ["b=1", "a=2"], "b=1; a=2"),
    plain("replaced by the same value, a cookie keeps its place", ["a=1", "b=2", "a=1"], "a=1; b=2"),
    plain("replaced by another value, it goes to the end", ["a=1", "b=2", "a=3"], "b=2; a=3", departs="section 5.7 keeps the creation time"),
    Case(
        "the longer path first",
        (
            Set(HOME + "/x/y/", ("a=1; Path=/", "b=2; Path=/x", "c=3; Path=/x/y")),
            Request(HOME + "/x/y/", "c=3; b=2; a=1"),
        ),
    ),
    # Path
    at("no Path: the folder of the page", HOME + "/x/y", "a=b", HOME + "/x/z", "a=b"),
    at("no Path: not above that folder", HOME + "/x/y", "a=b", HOME + "/", ""),
    at("no Path: a folder's own page", HOME + "/x/", "a=b", HOME + "/x/z", "a=b"),
    at("no Path: nor the folder without its slash", HOME + "/x/", "a=b", HOME + "/y", ""),
    at("no Path: the page itself counts up to its last slash", HOME + "/x/y/z", "a=b", HOME + "/x/q", ""),
    at("Path holds for all below it", HOME + "/", "a=b; Path=/x", HOME + "/x/y/z", "a=b"),
    at("Path holds for itself", HOME + "/", "a=b; Path=/x", HOME + "/x", "a=b"),
    at("Path ends at a slash", HOME + "/", "a=b; Path=/x", HOME + "/xy", ""),
    at("a Path with a slash at its end", HOME + "/", "a=b; Path=/x/", HOME + "/x/y", "a=b"),
    at("a Path with a slash at its end, without it", HOME + "/", "a=b; Path=/x/", HOME + "/x", ""),
    at("Path differs in case", HOME + "/", "a=b; Path=/X", HOME + "/x", ""),
    at("a Path that is no path is the folder", HOME + "/x/y", "a=b; Path=x", HOME + "/x/z", "a=b"),
    at("an empty Path is the folder", HOME + "/x/y", "a=b; Path=", HOME + "/x/z", "a=b"),
    at("the last Path counts", HOME + "/", "a=b; Path=/x; Path=/y", HOME + "/y", "a=b"),
    at("an empty Path after another one", HOME + "/x/y", "a=b; Path=/; Path=", HOME + "/", ""),
    at("any Path may be set from anywhere", HOME + "/x", "a=b; Path=/y", HOME + "/y", "a=b"),
    at("a Path in quotation marks is no path", HOME + "/x/y", 'a=b; Path="/"', HOME + "/", ""),
    at("an encoded Path is compared as it stands", HOME + "/", "a=b; Path=/%78", HOME + "/x", ""),
    # Domain
    at("no Domain: this host alone", HOME + "/", "a=b", SUB + "/", ""),
    at("Domain: the host and all below it", HOME + "/", "a=b; Domain=lab03.localhost", DEEP + "/", "a=b"),
    at("Domain: set from below", SUB + "/", "a=b; Domain=lab03.localhost", HOME + "/", "a=b"),
    at("a dot before the Domain means nothing", SUB + "/", "a=b; Domain=.lab03.localhost", HOME + "/", "a=b"),
    at("Domain does not differ in case", SUB + "/", "a=b; Domain=LAB03.localhost", HOME + "/", "a=b"),
    at("Domain of a stranger", HOME + "/", "a=b; Domain=lab04.localhost", OTHER + "/", ""),
    at("Domain below the host", HOME + "/", "a=b; Domain=shop.lab03.localhost", SUB + "/", ""),
    at("a Domain that many share", HOME + "/", "a=b; Domain=localhost", OTHER + "/", ""),
    plain("a Domain that many share is not for oneself either", "a=b; Domain=localhost", ""),
    plain("an empty Domain is none", "a=b; Domain=", "a=b"),
    at("an empty Domain: this host alone", HOME + "/", "a=b; Domain=", SUB + "/", ""),
    at("the last Domain counts", SUB + "/", "a=b; Domain=x.example; Domain=lab03.localhost", HOME + "/", "a=b"),
    plain("an address may name itself", "a=b; Domain=127.0.0.1", "a=b", ADDRESS),
    plain("part of an address is no domain", "a=b; Domain=0.0.1", "", ADDRESS),
    plain("two dots before the Domain", "a=b; Domain=..lab03.localhost", ""),
    plain("a Domain with a dot at its end", "a=b; Domain=lab03.localhost.", ""),
    # Secure, prefixes
    plain("Secure on a trustworthy host without TLS", "a=b; Secure", "a=b"),
    plain("Secure on an address of this machine", "a=b; Secure", "a=b", ADDRESS),
    plain("Secure over plain http", "a=b; Secure", "", PLAIN),
    plain("Secure with a value", "a=b; Secure=no", "a=b"),
    plain("a Secure cookie replaced without Secure", ["a=1; Secure", "a=2"], "a=2"),
    plain("__Secure- with Secure", "__Secure-a=b; Secure", "__Secure-a=b"),
    plain("__Secure- without Secure", "__Secure-a=b", ""),
    plain("__secure- in small letters", "__secure-a=b", ""),
    plain("__Host- with all it needs", "__Host-a=b; Secure; Path=/", "__Host-a=b"),
    plain("__Host- without Path", "__Host-a=b; Secure", "", HOME + "/x"),
    plain("__Host- without Secure", "__Host-a=b; Path=/", ""),
    plain("__Host- with Domain", "__Host-a=b; Secure; Path=/; Domain=lab03.localhost", ""),
    plain("a nameless cookie in disguise", "=__Host-a=b; Secure; Path=/", ""),
    plain("__Http- without HttpOnly", "__Http-a=b; Secure", ""),
    plain("__Http- without Secure", "__Http-a=b; HttpOnly", ""),
    plain("__Http- with HttpOnly", "__Http-a=b; Secure; HttpOnly", "__Http-a=b"),
    plain("__Host-Http- with all it needs", "__Host-Http-a=b; Secure; HttpOnly; Path=/", "__Host-Http-a=b"),
    plain("__Host-Http- without HttpOnly", "__Host-Http-a=b; Secure; Path=/", ""),
    plain("__Host-Http- without Path", "__Host-Http-a=b; Secure; HttpOnly", "", HOME + "/x"),
    plain("a nameless cookie in another disguise", "=__Http-a; Secure", ""),
    # HttpOnly
    Case("a script reads", (Set(HOME + "/", ("a=b",)), Request(HOME + "/", "a=b", "script"))),
    Case("HttpOnly hides", (Set(HOME + "/", ("a=b; HttpOnly",)), Request(HOME + "/", "", "script"))),
    Case("a script writes", (Script(HOME + "/", "a=b"), Request(HOME + "/", "a=b"))),
    Case("a script writes no HttpOnly", (Script(HOME + "/", "a=b; HttpOnly"), Request(HOME + "/", ""))),
    Case(
        "a script does not replace HttpOnly",
        (
            Set(HOME + "/", ("a=b; HttpOnly",)),
            Script(HOME + "/", "a=c"),
            Request(HOME + "/", "a=b"),
        ),
    ),
    Case(
        "a script does not delete HttpOnly",
        (
            Set(HOME + "/", ("a=b; HttpOnly",)),
            Script(HOME + "/", "a=; Max-Age=0"),
            Request(HOME + "/", "a=b"),
        ),
    ),
    # SameSite
    from_elsewhere("Strict and a link", "; SameSite=Strict", "link", ""),
    from_elsewhere("Lax and a link", "; SameSite=Lax", "link", "a=b"),
    from_elsewhere("Lax and a form", "; SameSite=Lax", "form", ""),
    from_elsewhere("Lax and an image", "; SameSite=Lax", "image", ""),
    from_elsewhere("None and an image", "; SameSite=None; Secure", "image", "a=b"),
    from_elsewhere("None and a form", "; SameSite=None; Secure", "form", "a=b"),
    from_elsewhere("no SameSite and a link", "", "link", "a=b"),
    from_elsewhere("no SameSite and an image", "", "image", ""),
    from_elsewhere("no SameSite and a form at once", "", "form", "a=b"),
    from_elsewhere("an unknown SameSite is none", "; SameSite=Maybe", "form", "a=b"),
    from_elsewhere("SameSite does not differ in case", "; samesite=STRICT", "link", ""),
    from_elsewhere("the last SameSite counts", "; SameSite=Lax; SameSite=Strict", "link", ""),
    from_elsewhere("Strict and a link of the same site", "; SameSite=Strict", "link", "a=b", SUB),
    from_elsewhere("Strict and an image of the same site", "; SameSite=Strict", "image", "a=b", SUB),
    from_elsewhere("Strict and a form of the same site", "; SameSite=Strict", "form", "a=b", SUB),
    plain("SameSite=None without Secure", "a=b; SameSite=None", ""),
    # Lifetimes
    Case(
        "Max-Age holds until its last second",
        (
            Set(HOME + "/", ("a=b; Max-Age=120",)),
            Age(110),
            Request(HOME + "/", "a=b"),
            Age(10),
            Request(HOME + "/", ""),
        ),
    ),
    Case(
        "an end that nobody helps along",
        (
            Set(HOME + "/", ("a=b; Max-Age=1", "c=d; Max-Age=60")),
            Wait(1.5),
            Request(HOME + "/", "c=d"),
        ),
    ),
    Case(
        "a new Set-Cookie starts the time anew",
        (
            Set(HOME + "/", ("a=1; Max-Age=120",)),
            Age(100),
            Set(HOME + "/", ("a=2; Max-Age=120",)),
            Age(100),
            Request(HOME + "/", "a=2"),
        ),
    ),
    Case(
        "reading does not",
        (
            Set(HOME + "/", ("a=1; Max-Age=120",)),
            Age(60),
            Request(HOME + "/", "a=1"),
            Age(60),
            Request(HOME + "/", ""),
        ),
    ),
    Case(
        "no lifetime passes 400 days",
        (
            Set(HOME + "/", ("a=b; Max-Age=999999999", "c=d; Expires=Fri, 31 Dec 9999 23:59:59 GMT")),
            Age(399 * 86400),
            Request(HOME + "/", "a=b; c=d"),
            Age(86400),
            Request(HOME + "/", ""),
        ),
    ),
    plain("Max-Age before Expires", ["a=b; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], "a=b"),
    plain("Max-Age before Expires, the other way", ["a=b; Max-Age=0; Expires=Fri, 31 Dec 9999 23:59:59 GMT"], ""),
    Case(
        "a Max-Age with a plus sign",
        (Set(HOME + "/", ("a=b; Max-Age=+120",)), Age(130), Request(HOME + "/", "")),
        departs="section 5.6.2 ignores it, and this would be a session cookie",
    ),
    plain("a Max-Age of minus nothing", "a=b; Max-Age=-", "a=b"),
    plain("the last Max-Age counts, also if it cannot be read", "a=b; Max-Age=0; Max-Age=soon", "a=b", departs="section 5.6 leaves out what cannot be read"),
    plain("the last Max-Age counts", "a=b; Max-Age=0; Max-Age=60", "a=b"),
    plain("the last Expires counts", "a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Expires=Fri, 31 Dec 2100 23:59:59 GMT", "a=b"),
    plain("a Max-Age that is no number is not there", "a=b; Max-Age=zero", "a=b"),
    plain("an Expires that is no date is not there", "a=b; Expires=yesterday", "a=b"),
    plain("an old date with dashes", "a=b; Expires=Thursday, 01-Jan-70 00:00:00 GMT", ""),
    plain("an old date as C writes it", "a=b; Expires=Thu Jan  1 00:00:00 1970", ""),
    plain("an old date in another order", "a=b; Expires=1970 00:00:00 Jan 1", ""),
    plain("a year of two digits below 70", "a=b; Expires=Thu, 01 Jan 69 00:00:00 GMT", "a=b"),
    plain("a year of two digits from 70", "a=b; Expires=Thu, 01 Jan 70 00:00:00 GMT", ""),
    plain("a year before 1601", "a=b; Expires=Mon, 01 Jan 1500 00:00:00 GMT", "", departs="section 5.1.1 reads no such date"),
    Case(
        "what Chromium reads in a lifetime and RFC 6265bis does not, and the other way round",
        (
            Set(
                HOME + "/",
                (
                    "a=1; Max-Age=60; Max-Age=soon",
                    "b=1; Expires=Fri, 31 Dec 2100 23:59:59 GMT; Expires=soon",
                    "c=1; Max-Age=soon; Expires=Fri, 31 Dec 2100 23:59:59 GMT",
                    "d=1; Expires=Fri, 31 Dec 99999 23:59:59 GMT",
                    "e=1; Expires=Fri, 31x Dec 2100 23:59:59 GMT",
                    "f=1; Expires=Fri, 31 Dec 2100x 23:59:59 GMT",
                    "g=1; Expires=Fri, 31 Dec 2100 23:59:59x GMT",
                    "h=1; Expires=Fri, 031 Dec 2100 23:59:59 GMT",
                    "i=1; Expires=Fri, 31 December 2100 23:59:59 GMT",
                ),
            ),
            Reopen(),
            Request(HOME + "/", "c=1; d=1; i=1"),
        ),
        departs="section 5.6 would let the first Max-Age and Expires of a and b count, section 5.1.1 read e, f and g and not d",
    ),
    plain("a day that is none", "a=b; Expires=Mon, 31 Feb 2000 00:00:00 GMT", "a=b"),
    plain("an hour that is none", "a=b; Expires=Mon, 01 Feb 2000 24:00:00 GMT", "a=b"),
    plain("a zone is not read", "a=b; Expires=Thu, 01 Jan 1970 00:00:00 +0500", ""),
    Case(
        "closing the browser ends session cookies and no others",
        (
            Set(
                HOME + "/",
                (
                    "session=1",
                    "persistent=1; Max-Age=3600",
                    "dated=1; Expires=Fri, 31 Dec 2100 23:59:59 GMT",
                    "nonsense=1; Max-Age=soon",
                    "fraction=1; Max-Age=3600.5",
                    "space=1; Max-Age=36 00",
                    "empty=1; Max-Age=",
                    'quoted=1; Max-Age="3600"',
                    "undated=1; Expires=tomorrow",
                ),
            ),
            Reopen(),
            Request(HOME + "/", "persistent=1; dated=1"),
        ),
    ),
    # Limits
    Case(
        "180 cookies of one site all stay",
        (Set(HOME + "/", numbered(1, 90)), Set(HOME + "/", numbered(91, 180)), Request(HOME + "/", pairs(1, 180))),
        shows="C28",
    ),
    Case(
        "the 181st drives out the oldest, down to 150",
        (Set(HOME + "/", numbered(1, 90)), Set(HOME + "/", numbered(91, 181)), Request(HOME + "/", pairs(32, 181))),
        shows="C28",
    ),
    Case(
        "a site is counted with all its hosts",
        (
            Set(HOME + "/", numbered(1, 100)),
            Set(SUB + "/", numbered(101, 181)),
            Request(HOME + "/", pairs(32, 100)),
            Request(SUB + "/", pairs(101, 181)),
        ),
    ),
    Case(
        "Secure ones go last",
        (
            Set(HOME + "/", numbered(1, 40, "; Path=/; Secure")),
            Set(HOME + "/", numbered(41, 110)),
            Set(HOME + "/", numbered(111, 181)),
            Request(HOME + "/", "; ".join([pairs(1, 40), pairs(72, 181)])),
        ),
    ),
    # Cookies blocked
    Case(
        "cookies blocked: none is stored, none is sent",
        (
            Set(HOME + "/", ("a=b; Max-Age=3600",)),
            Reopen(blocked=True),
            Set(HOME + "/", ("c=d",)),
            Request(HOME + "/", ""),
        ),
    ),
    Case(
        "cookies allowed again: what was there before is there again",
        (
            Set(HOME + "/", ("a=b; Max-Age=3600",)),
            Reopen(blocked=True),
            Request(HOME + "/", ""),
            Reopen(),
            Request(HOME + "/", "a=b"),
        ),
    ),
]  # fmt: skip
