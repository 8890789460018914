"""Requests that no browser sends, for real servers and for visitors in this process.

In a header or body, TOKEN stands for the CSRF token of a form that the visitor has opened. In a
path, PAGE and ACT stand for URLs of the lab.
"""

from dataclasses import dataclass, field
from typing import Any

TOKEN = b"{{token}}"
PAGE = b"{{page}}"  # stands for a URL that shows the visitor's state
ACT = b"{{act}}"  # stands for a URL that changes the visitor's state if a form is posted to it


@dataclass(frozen=True)
class Raw:
    """A request, and the status that its response must have."""

    name: str
    status: int
    method: str = "GET"
    path: bytes = PAGE
    cookie: bytes | None = None  # a Cookie header's value, sent after the visitor's cookies
    alone: bool = False  # whether `cookie` replaces the visitor's cookies
    # For the value None, the request does not have this header.
    headers: dict[str, bytes | None] = field(default_factory=dict)
    body: bytes = b""
    # {server: status} for servers that respond without Django, or that change the request.
    except_on: dict[str, int] = field(default_factory=dict)


def cookie(name: str, value: bytes, **rest: Any) -> Raw:
    return Raw(name, 200, cookie=value, **rest)


def add(name: str, status: int, body: bytes) -> Raw:
    return Raw(name, status, "POST", b"/add/", body=b"csrfmiddlewaretoken=" + TOKEN + body)


def multipart(*parts: bytes) -> bytes:
    return b"".join(b"--xyz\r\n" + part + b"\r\n" for part in parts) + b"--xyz--\r\n"


def spoilt_cookies(prefix: str) -> list[Raw]:
    """Return requests with invalid item cookies, which a cookie-based cart must ignore."""
    prefix_ = prefix.encode()
    values = [
        b"abc", b"", b"1.5", b"1e3", b"NaN", b"5,6", b"%00", b"\xff\xfe", "é".encode(), b"\xe9",
        "٣".encode(), "９".encode(), b"1_000", b"-3", b"1e9", b"0", b"1000", b"9" * 4300,
        b"9" * 4301, b"<script>alert(7)</script>", b'"\\073"', b"x" * 5000, b"007x",
    ]  # fmt: skip
    names = [
        b"", b"[x]", b"<script>", b"%00", b"%0d%0a", b"%ff", b"\xff", b"a" * 5000,
        b"%F0%9F%8D%8E" * 80,
    ]  # fmt: skip
    return [
        *(cookie(f"quantity {value[:20]!r}", prefix_ + b"pear=" + value) for value in values),
        *(cookie(f"item {name[:20]!r}", prefix_ + name + b"=1") for name in names),
        cookie("the same item twice", prefix_ + b"pear=x; " + prefix_ + b"pear=y"),
    ]


def unknown_session_ids(name: str) -> list[Raw]:
    """Return requests with made-up session cookies, which must not match any session."""
    values = [
        b"", b"x", b"x" * 300, b"' OR '1'='1", b"1; DROP TABLE django_session",
        b"../../etc/passwd", b"%2e%2e%2f", "🍎".encode(), b"\xff\xfe", b'"', b'""', b"a" * 32,
        b"0" * 40, b"None",
    ]  # fmt: skip
    return [
        cookie(f"session id {value[:20]!r}", name.encode() + b"=" + value, alone=True)
        for value in values
    ]


# Requests for every lab.
REQUESTS = [
    cookie("cookies without form", b";;; =; ==; x; =x; ,;"),
    cookie("200 cookies of 60 bytes", b"; ".join(b"x%03d=" % n + b"y" * 54 for n in range(200))),
    cookie("a cookie of 5 kB", b"other=" + b"x" * 5000),
    cookie("NUL in a cookie", b"other=a\x00b", except_on={"waitress": 400}),
    cookie("other labs' CSRF cookies", b"csrftoken=x; csrftoken_99=\xff"),
    cookie("cookies named like attributes", b"path=/; expires=x; domain=y; $Version=1"),
    Raw("a Cookie header of 70 kB", 200, cookie=b"other=" + b"x" * 70_000, except_on={"runserver": 431}),
    Raw("1500 fields", 400, "POST", ACT, body=b"".join(b"&f%d=1" % n for n in range(1500))),
    Raw("3 MB", 400, "POST", ACT, body=b"name=" + b"x" * 3_000_000),
    # CSRF
    Raw("no token", 403, "POST", ACT, body=b"name=pear"),
    Raw("an empty token", 403, "POST", ACT, body=b"csrfmiddlewaretoken=&name=pear"),
    Raw("a short token", 403, "POST", ACT, body=b"csrfmiddlewaretoken=abc"),
    Raw("a token of control characters", 403, "POST", ACT, body=b"csrfmiddlewaretoken=" + b"%00" * 64),
    Raw("another token", 403, "POST", ACT, body=b"csrfmiddlewaretoken=" + b"a" * 64),
    Raw("a token in JSON", 403, "POST", ACT, headers={"Content-Type": b"application/json"}, body=b'{"csrfmiddlewaretoken": "' + TOKEN + b'"}'),
    Raw("another origin", 403, "POST", ACT, headers={"Origin": b"http://evil.example"}, body=b"csrfmiddlewaretoken=" + TOKEN),
    Raw("no origin at all", 403, "POST", ACT, headers={"Origin": b"null"}, body=b"csrfmiddlewaretoken=" + TOKEN),
    # Bodies
    Raw("multipart without a boundary", 400, "POST", ACT, headers={"Content-Type": b"multipart/form-data"}, body=multipart(b"x")),
    Raw("incomplete multipart", 403, "POST", ACT, headers={"Content-Type": b"multipart/form-data; boundary=xyz"}, body=b"--xyz\r\nContent-Disp"),
    *(
        Raw(f"the charset {charset.decode()}", 415, "POST", ACT, headers={"Content-Type": b"multipart/form-data; boundary=xyz; charset=" + charset, "X-CSRFToken": TOKEN}, body=multipart(b'Content-Disposition: form-data; name="name"\r\n\r\n+2AA-'))
        for charset in [b"hex", b"rot13", b"idna", b"undefined", b"utf-7", b"unicode_escape", b"latin-1", b"nonsense"]
    ),
    Raw("an unknown charset", 415, "POST", ACT, headers={"Content-Type": b"application/x-www-form-urlencoded; charset=nonsense", "X-CSRFToken": TOKEN}, body=b"name=pear"),
    # Methods
    Raw("HEAD", 200, "HEAD"),
    Raw("OPTIONS", 405, "OPTIONS"),
    Raw("TRACE", 405, "TRACE"),
    Raw("PUT", 403, "PUT"),
    Raw("DELETE", 403, "DELETE"),
    Raw("PATCH", 403, "PATCH"),
    Raw("an unknown method", 403, "BREW"),
    Raw("GET, but only POST is allowed", 405, path=ACT),
    Raw("HEAD, but only POST is allowed", 405, "HEAD", path=ACT),
    # Hosts
    Raw("no host", 200, headers={"Host": None}, except_on={"waitress": 400}),
    Raw("another host", 400, headers={"Host": b"evil.example"}),
    Raw("an invalid host", 400, headers={"Host": b"a b\xff"}),
    # URLs
    Raw("an encoded slash", 404, path=b"/%2F", except_on={"waitress": 200}),
    Raw("an encoded NUL", 404, path=b"/%00"),
    Raw("encoded CR LF", 404, path=b"/%0d%0aSet-Cookie:%20a=b"),
    Raw("bytes that are not UTF-8", 404, path=b"/%ff%fe"),
    Raw("bytes that are not encoded", 404, path=b"/\xff\xfe", except_on={"waitress": 400}),
    Raw("markup", 404, path=b"/%3Cscript%3Ealert(7)%3C/script%3E"),
    Raw("a parameter in the path", 404, path=PAGE + b";a=1"),
    Raw("an encoded question mark", 404, path=PAGE + b"%3F"),
    Raw("a URL of 8000 characters", 404, path=b"/" + b"x" * 8000),
    Raw("a query with odd fields", 200, path=PAGE + b"?%00=%ff&a&=&next=//evil.example"),
    Raw("markup in a query", 200, path=PAGE + b"?x=<script>alert(7)</script>"),
    Raw("a file name that is too long", 404, path=b"/__lab__/static/" + b"a" * 300),
    Raw("a file path that is too long", 404, path=b"/__lab__/static/" + b"a/" * 2500),
    Raw("a path above the root", 404, path=b"/../../etc/passwd"),
    Raw("a path above the stylesheet's folder", 400, path=b"/__lab__/static/..%2f..%2ferrors.py"),
]  # fmt: skip

# Requests to test on every cart, in addition to those for all labs. The carts' contract has further
# ones, with names and quantities.
CART_REQUESTS = [
    add("no fields", 422, b""),
    add("fields twice: the last one counts", 422, b"&name=pear&quantity=1&quantity=0"),
    add("bytes that are not UTF-8", 422, b"&name=%ff%fe&quantity=1"),
    add("bytes that are not encoded", 422, b"&name=pear&quantity=\xff\xfe"),
    add("half a surrogate", 422, b"&name=%ed%a0%80&quantity=1"),
    add("NUL", 422, b"&name=a%00b&quantity=1"),
    add("a name of 200 000 characters", 422, b"&quantity=1&name=" + b"x" * 200_000),
    add("broken percent signs", 422, b"&name=pear&quantity=%zz%"),
    Raw("JSON with a token in a header", 422, "POST", b"/add/", headers={"Content-Type": b"application/json", "X-CSRFToken": TOKEN}, body=b'{"name": "pear"}'),
    Raw("multipart with a file for a name", 422, "POST", b"/add/", headers={"Content-Type": b"multipart/form-data; boundary=xyz", "X-CSRFToken": TOKEN}, body=multipart(b'Content-Disposition: form-data; name="name"; filename="x"\r\n\r\nabc', b'Content-Disposition: form-data; name="quantity"\r\n\r\n1')),
    Raw("the charset utf-8", 422, "POST", b"/add/", headers={"Content-Type": b"application/x-www-form-urlencoded; charset=UTF-8", "X-CSRFToken": TOKEN}, body=b"name=pear"),
    Raw("GET for removing an item", 405, path=b"/remove/?name=bread"),
]  # fmt: skip
