"""Explain a Set-Cookie header field, and whether a browser stores and sends the cookie."""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from typing import NamedTuple

from labkit.http.cookie_header import to_wire
from labkit.http.cookie_repairs import Response, repaired, sending_repair, storing_repair
from labkit.http.cookie_rules import Rule
from labkit.http.jar import Jar
from labkit.http.origin import TYPED, Context, Origin
from labkit.http.set_cookie import (
    MAX_AGE,
    MAX_ATTRIBUTE,
    Cookie,
    CookieRefusal,
    SameSite,
    parse_set_cookie,
    read_attributes,
    read_expiry,
)
from labkit.text_format import duration


class Attribute(NamedTuple):
    """An attribute of a cookie, such as ("Domain", "no Domain", "sent to this host alone")."""

    name: str
    text: str
    meaning: str


class Refusal(NamedTuple):
    """The reason why a browser refuses to store or send a cookie."""

    reason: str
    rule: Rule
    repair: str  # how to comply with the rule: one or more sentences


@dataclass(frozen=True)
class LaterRequest:
    """A request that follows the response with the Set-Cookie field."""

    target: Origin
    context: Context
    is_sent: bool  # whether the request sends the cookie
    header: str  # the whole Cookie header, which may also contain earlier cookies; "" if none
    refusal: Refusal | None = None  # why a stored cookie is not sent
    note: str = ""  # a sentence about a rule that only Chromium has


@dataclass(frozen=True)
class CookieReport:
    """The effects of a Set-Cookie header field in a browser."""

    attributes: tuple[Attribute, ...]
    cookie: Cookie | None  # None if the browser refuses it
    refusal: Refusal | None
    deletes: bool  # whether this Set-Cookie field deletes a cookie
    later: tuple[LaterRequest, ...]  # empty if the browser never had a cookie
    further: tuple[Refusal, ...] = ()  # the refusals that follow, once the first one is repaired
    repaired: Response | None = None  # the response with all repairs, if browsers then store it
    warnings: tuple[str, ...] = ()  # sentences about effects that were probably not intended

    @property
    def deletion(self) -> str:
        """Return which cookie is deleted, in words, or "" if the field deletes none."""
        if self.cookie is None or not self.deletes:
            return ""
        cookie = self.cookie
        name = f"cookie {cookie.name}" if cookie.name else "cookie without a name"
        owner = "host" if cookie.host_only else "domain"
        return f"the {name} of the {owner} {cookie.domain} with Path={cookie.path}"

    @property
    def never_sent(self) -> str:
        """Return a sentence for a cookie that no later request sends, or "" for others."""
        if self.deletes and not self.later:
            return "No later request sends the deleted cookie."
        return "" if self.cookie else NEVER_STORED


def explain_cookie(
    set_cookie: str,
    source: Origin,
    later: Sequence[tuple[Origin, Context]] = (),
    context: Context = TYPED,
    before: Sequence[tuple[Origin, str]] = (),
) -> CookieReport:
    """Explain what a browser does with the value of a Set-Cookie field.

    source, context: the origin of the response, and what caused the request for it. later: the
    requests that follow. before: the (origin, Set-Cookie field) pairs that the browser, with an
    empty jar, received earlier. The rules are those of RFC 6265bis, sections 5.6 to 5.8, and of
    Chromium.
    """
    now = time.time()
    jar = _jar(before)
    cookie, requests = None, []
    refusals: tuple[Refusal, ...] = ()
    fixed: Response | None = None
    try:
        cookie = parse_set_cookie(set_cookie, source, now, context)
        stored = jar.store(set_cookie, source, context)
    except CookieRefusal as refused:
        cookie, stored = None, None
        refusals, fixed = _repair(Response(set_cookie, source), refused, before, context)
    for target, cause in later if len(jar) or before else ():
        sent, withheld = jar.select(target, cause)
        why = next((each for each in withheld if each.cookie is stored), None)
        is_sent = any(each is stored for each in sent)
        requests.append(
            LaterRequest(
                target,
                cause,
                is_sent,
                header="; ".join(each.pair for each in sent),
                refusal=Refusal(
                    why.reason, why.rule, sending_repair(why.rule, why.cookie, target, cause)
                )
                if why
                else None,
                note=_note(stored, target, cause) if is_sent else "",
            )
        )
    return CookieReport(
        attributes=tuple(explain_attributes(read_attributes(set_cookie), cookie, now)),
        cookie=cookie,
        refusal=refusals[0] if refusals else None,
        deletes=cookie is not None and stored is None,
        later=tuple(requests),
        further=refusals[1:],
        repaired=fixed,
        warnings=tuple(_warnings(set_cookie, cookie, now)) if cookie else (),
    )


def _jar(before: Sequence[tuple[Origin, str]]) -> Jar:
    """Return a jar that has received these Set-Cookie fields, each with its origin."""
    jar = Jar()
    for origin, field in before:
        with suppress(CookieRefusal):  # browsers ignore it without an error
            jar.store(field, origin)
    return jar


def _repair(
    response: Response,
    refused: CookieRefusal,
    before: Sequence[tuple[Origin, str]],
    context: Context,
) -> tuple[tuple[Refusal, ...], Response | None]:
    """Return all refusals, each after the repair of the previous ones, and the repaired response.

    The response is None if browsers still refuse the cookie after MOST_REPAIRS, or if no program
    can repair it.
    """
    refusals: list[Refusal] = []
    for _ in range(MOST_REPAIRS):
        rule = refused.rule
        refusals.append(Refusal(str(refused), rule, storing_repair(rule, response)))
        fixed = repaired(rule, response)
        if fixed is None:
            break
        response = fixed
        try:
            _jar(before).store(*response, context)
        except CookieRefusal as another:
            refused = another
        else:
            return tuple(refusals), response
    return tuple(refusals), None


def _warnings(set_cookie: str, cookie: Cookie, now: float) -> Iterator[str]:
    """Yield a warning for each part of the field that probably has another effect than intended."""
    found = read_attributes(set_cookie)
    if not cookie.name and not cookie.expired(now):
        yield f"The cookie has no name, so browsers send just {cookie.value}. {NAME_EXAMPLE}"
    month = formatdate(now + 30 * 86400, usegmt=True)
    for name, kind, other, example in EXPIRY_SYNTAX:
        value = found.get(name.lower())
        if value is not None and read_expiry({name.lower(): value}, now) is None:
            so = f"{other} applies" if cookie.expires else f"this is {_ABSENT['Max-Age']}"
            valid = example.format(month)
            yield f"{name}={value} is not {kind}, so {so}. A valid example: {valid}."
    is_cut = cookie.expires is not None and cookie.expires - now >= MAX_AGE
    if is_cut and found.get("max-age") != str(MAX_AGE):
        name = "Max-Age" if _has_max_age(found) else "Expires"
        most = f"they keep a cookie for at most 400 days, which is Max-Age={MAX_AGE}"
        yield f"{name} asks for more than browsers allow: {most}."
    if found.get("path", "/")[:1] not in {"", "/"}:
        yield f"Path={found['path']} does not begin with /, so Path={cookie.path} applies."
    if "samesite" in found and cookie.same_site is SameSite.DEFAULT:
        yield f"SameSite={found['samesite']} is not Strict, Lax or None, so it has no effect."
    for part in set_cookie.split(";")[1:]:
        name, _, value = part.partition("=")
        if len(to_wire(value.strip(" \t"))) > MAX_ATTRIBUTE:
            size = f"its value has more than {MAX_ATTRIBUTE} bytes"
            yield f"Browsers ignore {name.strip()}, because {size}."
    unknown = [name for name in found if name and name not in KNOWN]
    if unknown:
        yield f"Browsers ignore attributes that they do not know: {', '.join(unknown)}."


def _note(cookie: Cookie | None, target: Origin, cause: Context) -> str:
    """Return LAX_AND_POST if Chromium sends this cookie only because it is new, otherwise ""."""
    by_default = cookie is not None and cookie.same_site is SameSite.DEFAULT
    exception = by_default and cause.method == "POST" and not cause.same_site(target)
    return LAX_AND_POST if exception else ""


def describe_cause(context: Context) -> str:
    """Describe what caused a request, such as "by a form on https://other.example/"."""
    if context.initiator is None:
        return (
            "typed in, or from the same site" if context.method == "GET" else "from the same site"
        )
    if not context.top_level:
        return f"embedded in {context.initiator}"
    return f"by a {'link' if context.method == 'GET' else 'form'} on {context.initiator}"


LAX_AND_POST = (
    "This is only because the cookie is new: for its first two minutes, Chromium sends a cookie "
    "without SameSite with POST forms of other sites, too. After that, Chromium would not send it "
    "with this request. If other sites have to send such forms, use SameSite=None and Secure, and "
    "check a CSRF token. Otherwise, use SameSite=Lax, which applies at once."
)
NEVER_STORED = "No later request sends this cookie, because the browser did not store it."
MOST_REPAIRS = 6  # the field of a refused cookie is repaired at most this often
NAME_EXAMPLE = "To give it a name, write for example id=7."
EXPIRY_SYNTAX = (  # (attribute, what it should be, the other attribute, a valid example)
    ("Max-Age", "a whole number of seconds", "Expires", "Max-Age=3600, which is an hour"),
    ("Expires", "a valid date", "Max-Age", "Expires={}, which is in 30 days"),
)
KNOWN = {  # the attributes that Chromium knows, in lower case
    *("domain", "expires", "httponly", "max-age", "partitioned"),
    *("path", "priority", "samesite", "secure"),
}
_ABSENT = {  # {attribute: what it means if a cookie lacks this attribute}
    "Max-Age": "a session cookie: the browser deletes it when it closes",
    "HttpOnly": "scripts on the page can read and change it",
    "Secure": "also sent over plain HTTP",
    "SameSite": "Chromium treats it as Lax; other browsers may not",
}
_PRESENT = {  # attribute, or attribute=value -> meaning
    "HttpOnly": "scripts cannot read it",
    "Secure": "sent only over HTTPS; over plain HTTP only to localhost and 127.0.0.1",
    "SameSite": "not a valid value: Chromium treats it as Lax; other browsers may not",
    "SameSite=Lax": (
        "from other sites: sent with links and GET forms, not with POST forms, images, frames or "
        "fetch()"
    ),
    "SameSite=Strict": "never sent with requests from other sites",
    "SameSite=None": "also sent with requests from other sites",
    "Partitioned": "a separate cookie for each site in the address bar",
    "Priority": "not a valid value, so Chromium treats it as Medium",
    "Priority=Low": "Chromium deletes it first if a site has too many cookies",
    "Priority=Medium": "the same as no Priority",
    "Priority=High": "Chromium deletes it last if a site has too many cookies",
}
REFUSED = "without effect, because browsers refuse the cookie"
DELETES = "already expired: the browser deletes its cookie with this name, Path and Domain"
ALWAYS = ("Max-Age", "Path", "Domain", "HttpOnly", "Secure", "SameSite")
IF_PRESENT = ("Partitioned", "Priority")


def explain_attributes(
    found: dict[str, str], cookie: Cookie | None, at: float
) -> Iterator[Attribute]:
    """Yield each attribute with its meaning, and absent ones too if browsers accept the cookie.

    found: {lower-case name: value}. cookie: the cookie that a browser creates from these
    attributes, or None if the browser refuses it. at: the time in POSIX seconds.
    """
    for name in (*ALWAYS, *(name for name in IF_PRESENT if name.lower() in found)):
        if name == "Max-Age" and "expires" in found and not _has_max_age(found):
            name = "Expires"  # noqa: PLW2901 Expires applies instead
        value = found.get(name.lower())
        if value is None and cookie is None:
            continue
        text = f"no {name}" if value is None else f"{name}={value}" if value else name
        yield Attribute(name, text, _meaning(name, value, cookie, at))


def _has_max_age(found: dict[str, str]) -> bool:
    """Return whether there is a valid Max-Age, which takes precedence over Expires."""
    return read_expiry({"max-age": found.get("max-age", "")}, 0) is not None


def _meaning(name: str, value: str | None, cookie: Cookie | None, at: float) -> str:
    if name == "Path":
        return REFUSED if cookie is None else _path_meaning(value, cookie)
    if name == "Domain":
        return REFUSED if cookie is None else _domain_meaning(cookie)
    if name not in {"Max-Age", "Expires"}:
        if value is None:
            return _ABSENT[name]
        return _PRESENT.get(f"{name}={value.title()}", _PRESENT[name])
    if cookie is None:
        return REFUSED
    if value is not None and read_expiry({name.lower(): value}, at) is None:
        kind = "a number" if name == "Max-Age" else "a date"
        return f"not {kind} that browsers understand, so this is a session cookie"
    if cookie.expires is None:
        return _ABSENT["Max-Age"]
    if cookie.expired(at):
        return DELETES
    limit = ", the longest that browsers allow" if cookie.expires - at >= MAX_AGE else ""
    return f"the browser keeps it for {duration(round(cookie.expires - at))}{limit}"


def _path_meaning(value: str | None, cookie: Cookie) -> str:
    where = "every path" if cookie.path == "/" else f"{cookie.path} and URLs below it"
    if value == cookie.path or (value is None and cookie.path == "/"):
        return f"sent to {where}"
    default = "the default for the response's URL (RFC 6265bis, section 5.1.4)"
    if value is None:
        return f"sent to {where}: {default}"
    return f"does not begin with /, so {default} applies: sent to {where}"


def _domain_meaning(cookie: Cookie) -> str:
    if cookie.host_only:
        return f"sent only to {cookie.domain}, on every port"
    return f"sent to {cookie.domain} and all hosts below it"
