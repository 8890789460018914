"""A cookie jar that stores, sends, expires and evicts cookies according to RFC 6265bis.

Section numbers are those of draft-ietf-httpbis-rfc6265bis. Where Chromium differs from the draft,
the jar follows Chromium, and a comment says so. Where versions of Chromium differ, the jar follows
the newest one with which tests/http has been run: Chromium 156.
"""

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from labkit.http.cookie_header import to_wire
from labkit.http.cookie_rules import Rule
from labkit.http.origin import TYPED, Context, Origin, domain_match, path_match, registrable_domain
from labkit.http.set_cookie import (
    Cookie,
    CookieKey,
    CookieRefusal,
    Priority,
    SameSite,
    parse_set_cookie,
)

# The limit of cookies for a registrable domain, above which Chromium purges some.
MAX_PER_SITE = 180
KEPT_BY_PURGE = 150  # how many cookies remain after a purge, which proceeds in the order of PURGES
# The limit for the total size of a site's names and values in one partition.
MAX_PARTITIONED_BYTES = 10_240
ACCESS_STEP = 60  # in seconds; Chromium updates a cookie's last-access time at most this often
LAX_POST_GRACE = 120  # for this many seconds, a new cookie without SameSite is sent with any POST
BLOCKED = "cookies are blocked"
EXPIRED = "it has expired"
# {priority: the number of cookies that a purge keeps}
PROTECTED = {Priority.LOW: 30, Priority.MEDIUM: 50, Priority.HIGH: 70}
PURGES = (  # in this order: (priority, whether Secure cookies are purged too)
    (Priority.LOW, False),
    (Priority.LOW, True),
    (Priority.MEDIUM, False),
    (Priority.HIGH, False),
    (Priority.MEDIUM, True),
    (Priority.HIGH, True),
)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


@dataclass(frozen=True)
class WithheldCookie:
    """A stored cookie that a request does not send, with the reason."""

    cookie: Cookie
    reason: str
    rule: Rule


@dataclass
class Jar:
    """The cookies of one browser. All times are POSIX seconds, read from time.time()."""

    blocked: bool = False  # if True, the browser neither stores nor sends cookies
    _cookies: dict[CookieKey, Cookie] = field(default_factory=dict)
    _count: Iterator[int] = field(default_factory=itertools.count)

    def __iter__(self) -> Iterator[Cookie]:
        """Iterate over the unexpired cookies, in order of creation."""
        self._drop_expired(time.time())
        return iter(sorted(self._cookies.values(), key=lambda c: c.order))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def get(self, name: str) -> Cookie | None:
        """Return the oldest unexpired cookie with this name, whatever its path and domain."""
        return next((cookie for cookie in self if cookie.name == name), None)

    def clear(self) -> None:
        """Delete all cookies, as "Clear browsing data" does in a browser."""
        self._cookies.clear()

    def delete(self, cookie: Cookie) -> None:
        """Delete one of the jar's cookies, as in a browser's developer tools."""
        self._cookies.pop(cookie.key, None)

    def close_browser(self) -> None:
        """Close and reopen the browser: delete session cookies, keep persistent ones."""
        self._cookies = {k: c for k, c in self._cookies.items() if c.expires is not None}

    def select(
        self, target: Origin, context: Context = TYPED
    ) -> tuple[list[Cookie], list[WithheldCookie]]:
        """Return the cookies that a request to `target` sends, in order, and those it withholds.

        For the rules, see section 5.8.3. The last-access time of the cookies that are sent is
        updated.
        """
        sent, held_back = self._sort_out(target, context)
        now = time.time()
        for cookie in sent:
            if now - cookie.accessed >= ACCESS_STEP:
                cookie.accessed = now
        return sent, held_back

    def header(self, target: Origin, context: Context = TYPED) -> str:
        """Return the Cookie header for a request to `target`, or "" if no cookie is sent."""
        return "; ".join(cookie.pair for cookie in self.select(target, context)[0])

    def held_back(self, target: Origin, context: Context = TYPED) -> list[WithheldCookie]:
        """Return the cookies that a request to `target` would not send, each with its reason.

        If a cookie has expired since the last call, this call still includes it, but later calls do
        not.
        """
        return self._sort_out(target, context)[1]

    def _sort_out(
        self, target: Origin, context: Context
    ) -> tuple[list[Cookie], list[WithheldCookie]]:
        if not self._cookies:
            return [], []
        now = time.time()
        sent, held_back = [], []
        for cookie in self._cookies.values():
            withheld = _withheld(cookie, target, context, now)
            if self.blocked:
                withheld = BLOCKED, Rule.BLOCKED
            if withheld:
                held_back.append(WithheldCookie(cookie, *withheld))
            else:
                sent.append(cookie)
        self._drop_expired(now)
        sent.sort(key=lambda c: (-len(c.path), c.order))
        return sent, held_back

    def store(self, set_cookie: str, source: Origin, context: Context = TYPED) -> Cookie | None:
        """Store the cookie from a Set-Cookie header sent by `source` (sections 5.6 and 5.7).

        Return the cookie, or None if the header deletes a cookie. Raise CookieRefusal if a browser
        would ignore the header.
        """
        if self.blocked:
            raise CookieRefusal(BLOCKED, Rule.BLOCKED)
        now = time.time()
        cookie = parse_set_cookie(set_cookie, source, now, context)
        self.check(cookie, source, context)
        old = self._cookies.get(cookie.key)
        if old is not None and old.http_only and not context.http_api:
            raise CookieRefusal(
                "an HttpOnly cookie cannot be replaced from a script", Rule.SCRIPT_REPLACES
            )
        if old is not None and old.value == cookie.value:
            # Section 5.7 always keeps the creation time; Chromium keeps it only if the value is
            # unchanged.
            cookie.created, cookie.order = old.created, old.order
        else:
            cookie.order = next(self._count)
        if cookie.expired(now):
            self._cookies.pop(cookie.key, None)
            return None
        self._cookies[cookie.key] = cookie
        self._evict(cookie, now)
        return cookie

    def check(self, cookie: Cookie, source: Origin, context: Context = TYPED) -> None:
        """Raise CookieRefusal if section 5.7 does not allow this source to set the cookie."""
        if cookie.secure and not source.trustworthy:
            raise CookieRefusal("it has Secure, but came over plain HTTP", Rule.SECURE_SOURCE)
        if cookie.http_only and not context.http_api:
            raise CookieRefusal("it has HttpOnly, but a script set it", Rule.SCRIPT_HTTP_ONLY)
        if not cookie.secure and not source.trustworthy:
            for other in self._cookies.values():
                if other.secure and _overlap(cookie, other):
                    raise CookieRefusal(
                        "it would hide a Secure cookie of the same name", Rule.HIDES_SECURE
                    )
        crosses = not context.same_site(source) and not context.top_level
        if crosses and cookie.same_site is not SameSite.NONE:
            raise CookieRefusal(
                f"SameSite={cookie.same_site}, and the request came from another site",
                Rule.CROSS_SITE_SET,
            )
        if cookie.same_site is SameSite.NONE and not cookie.secure:
            raise CookieRefusal("SameSite=None needs Secure", Rule.NONE_SECURE)

    def _evict(self, newest: Cookie, now: float) -> None:
        """Evict cookies, as Chromium does, if the new one's site and partition have too many."""
        if newest.partition is None and len(self._cookies) <= MAX_PER_SITE:
            return
        self._drop_expired(now)
        site = registrable_domain(newest.domain)
        members = [
            cookie
            for cookie in self._cookies.values()
            if cookie.partition == newest.partition and registrable_domain(cookie.domain) == site
        ]
        members.sort(key=lambda c: (c.accessed, c.order))
        for cookie in _surplus(members) if newest.partition is None else _overflow(members):
            del self._cookies[cookie.key]

    def _drop_expired(self, now: float) -> None:
        for cookie in [c for c in self._cookies.values() if c.expired(now)]:
            del self._cookies[cookie.key]


def _surplus(members: list[Cookie]) -> Iterator[Cookie]:
    """Yield the cookies of a site that Chromium would purge. `members`: sorted by last access."""
    goal = len(members) - KEPT_BY_PURGE if len(members) > MAX_PER_SITE else 0
    gone: set[CookieKey] = set()
    for priority, secure_too in PURGES:
        left = [c for c in members if c.priority is priority and c.key not in gone]
        loose = [c for c in left if secure_too or not c.secure]
        protected = max(PROTECTED[priority], len(left) - len(loose))
        for cookie in loose[: max(0, min(goal - len(gone), len(left) - protected))]:
            gone.add(cookie.key)
            yield cookie


def _overflow(members: list[Cookie]) -> Iterator[Cookie]:
    """Yield a site's Partitioned cookies that Chromium would evict, least recently used first."""
    sizes = [len(to_wire(c.name + c.value)) for c in members]
    total = sum(sizes)
    for index, cookie in enumerate(members):
        if total <= MAX_PARTITIONED_BYTES and len(members) - index <= MAX_PER_SITE:
            return
        total -= sizes[index]
        yield cookie


def _withheld(
    cookie: Cookie, target: Origin, context: Context, now: float
) -> tuple[str, Rule] | None:
    """Return why a request does not send this cookie (section 5.8.3), or None if it does."""
    if cookie.expired(now):
        return EXPIRED, Rule.EXPIRED
    matches = domain_match(target.host, cookie.domain)
    if not matches or (cookie.host_only and cookie.domain != target.host):
        if cookie.host_only:
            return f"it belongs to the host {cookie.domain}", Rule.OTHER_HOST
        return f"it belongs to the domain {cookie.domain}", Rule.OUTSIDE_DOMAIN
    if not path_match(target.path, cookie.path):
        return f"its Path, {cookie.path}, does not match this URL", Rule.OUTSIDE_PATH
    if cookie.partition not in {None, context.partition(target)}:
        site = "{}://{}".format(*cookie.partition)
        return f"it is Partitioned, and belongs to pages of {site}", Rule.OTHER_PARTITION
    if cookie.secure and not target.trustworthy:
        return "it has Secure, and this is plain HTTP", Rule.SECURE_TARGET
    if cookie.http_only and not context.http_api:
        return "it is HttpOnly, and a script cannot read it", Rule.SCRIPT_READS
    if cookie.same_site is SameSite.NONE or context.same_site(target):
        return None
    if cookie.same_site is SameSite.STRICT:
        return "it has SameSite=Strict, and the request comes from another site", Rule.STRICT
    by_default = cookie.same_site is SameSite.DEFAULT
    lax = f"it has {'no valid SameSite, which counts as Lax' if by_default else 'SameSite=Lax'}"
    if not context.top_level:
        return f"{lax}, and another site's page embeds this", Rule.EMBEDDED
    if context.method in SAFE_METHODS:
        return None
    if by_default and now - cookie.created <= LAX_POST_GRACE:
        return None  # Chromium's "Lax + POST" exception, meant for single sign-on
    return f"{lax}, and another site sent this {context.method}", Rule.UNSAFE_METHOD


def _overlap(new: Cookie, old: Cookie) -> bool:
    """Return whether a cookie would hide another of the same name (section 5.7, step 16).

    Host-only cookies and other cookies are treated alike here.
    """
    if new.name != old.name or new.partition != old.partition:
        return False
    domains = domain_match(new.domain, old.domain) or domain_match(old.domain, new.domain)
    return domains and path_match(new.path, old.path)
