"""The steps of a case in the conformance table, and shortcuts for frequent cases."""

from dataclasses import dataclass

# Browsers trust loopback names, so Secure works over plain http. Each labNN.localhost is a separate
# site.
HOME = "http://lab03.localhost"
SUB = "http://shop.lab03.localhost"
DEEP = "http://a.shop.lab03.localhost"
OTHER = "http://lab04.localhost"
TOP = "http://localhost"  # a name without a label in front of it
ADDRESS = "http://127.0.0.1"
ADDRESS_6 = "http://[::1]"
# Names that are not loopback, which browsers do not trust over plain http.
PLAIN = "http://www.shop.example"
PARENT = "http://shop.example"
SECURE = "https://www.shop.example"
SECURE_PARENT = "https://shop.example"
# A host name with a trailing dot is a different host.
DOTTED = "http://www.shop.example."
DOTTED_PARENT = "http://shop.example."
DOTTED_HOME = "http://lab03.localhost."
DOTTED_TOP = "http://localhost."
UMLAUT = "http://bücher.example"
UK = "http://www.shop.co.uk"  # co.uk is a public suffix of two labels
PAST = "Thu, 01 Jan 1970 00:00:00 GMT"
FUTURE = "Fri, 31 Dec 2100 23:59:59 GMT"


@dataclass(frozen=True)
class Set:
    """A response from `url` that contains these Set-Cookie lines.

    `by`: a "person" opens the URL, or the page at `page` shows it as an "image".
    """

    url: str
    lines: tuple[str, ...]
    by: str = "person"
    page: str = ""


@dataclass(frozen=True)
class Script:
    """A script on the page `url` assigns this text to document.cookie."""

    url: str
    line: str


@dataclass(frozen=True)
class Request:
    """A request to `url` sends exactly this Cookie header.

    `by`: a "person" types the URL; a "link", "form" (POST) or "image" on the page `page` requests
    the URL; a "script" on the page `url` reads document.cookie.
    """

    url: str
    header: str
    by: str = "person"
    page: str = ""


@dataclass(frozen=True)
class Age:
    """This many seconds pass."""

    seconds: float


@dataclass(frozen=True)
class Wait:
    """Like Age, but Chromium really waits, since its own clock cannot be moved."""

    seconds: float


@dataclass(frozen=True)
class Reopen:
    """The browser is closed and reopened. With `blocked`, it blocks all cookies after that."""

    blocked: bool = False


@dataclass(frozen=True)
class Stored:
    """The names of the cookies in the browser, split into session cookies and persistent ones."""

    session: str = ""  # names, separated by spaces
    persistent: str = ""


Step = Set | Script | Request | Age | Wait | Reopen | Stored


@dataclass(frozen=True)
class Case:
    """A case; `departs` says how Chromium differs from RFC 6265bis.

    `shows` is the claim in labs/claims.toml that the case proves, if any.
    """

    name: str
    steps: tuple[Step, ...]
    departs: str = ""
    shows: str = ""


def plain(name: str, lines: str | list[str], sent: str, url: str = HOME, **kw: str) -> Case:
    """Set these cookies at `url` + "/", then make another request there."""
    lines = [lines] if isinstance(lines, str) else lines
    return Case(name, (Set(url + "/", tuple(lines)), Request(url + "/", sent)), **kw)


def at(name: str, set_at: str, line: str, asked: str, sent: str, departs: str = "") -> Case:
    """Set this cookie at one URL, then request another."""
    return Case(name, (Set(set_at, (line,)), Request(asked, sent)), departs)


def from_elsewhere(name: str, attributes: str, by: str, sent: str, page: str = OTHER, **kw) -> Case:
    """Set a cookie, then make a page on another site cause a request."""
    set_it = Set(HOME + "/", (f"a=b{attributes}",))
    return Case(name, (set_it, *kw.get("then", ()), Request(HOME + "/", sent, by, page + "/")))


def dated(name: str, expires: str, becomes: str, departs: str = "") -> Case:
    """Replace a session cookie with a cookie that has this Expires."""
    return lasting(name, f"Expires={expires}", becomes, departs)


def lasting(name: str, attributes: str, becomes: str, departs: str = "") -> Case:
    """Replace a session cookie with a cookie that has these attributes.

    `becomes`: "session", "persistent", "deleted", or "refused" if the old cookie stays.
    """
    header = {"deleted": "", "refused": "a=1"}.get(becomes, "a=2")
    stored = Stored(**{becomes: "a"}) if header == "a=2" else Stored(session=header[:1])
    lines = ("a=1", f"a=2; {attributes}")
    return Case(name, (Set(HOME + "/", lines), stored, Request(HOME + "/", header)), departs)


def numbered(first: int, last: int, attributes: str = "; Path=/") -> tuple[str, ...]:
    return tuple(f"c{number}=1{attributes}" for number in range(first, last + 1))


def pairs(first: int, last: int) -> str:
    return "; ".join(f"c{number}=1" for number in range(first, last + 1))
