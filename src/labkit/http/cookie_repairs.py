"""Suggest how to repair a refused or withheld cookie, and repair Set-Cookie fields.

Section numbers are those of draft-ietf-httpbis-rfc6265bis, version 22.
"""

from collections.abc import Callable, Collection
from typing import NamedTuple

from labkit.http.cookie_rules import Rule
from labkit.http.jar import SAFE_METHODS, Jar
from labkit.http.origin import (
    Context,
    Origin,
    domain_match,
    ip_address_of,
    is_public_suffix,
    punycode,
    registrable_domain,
)
from labkit.http.set_cookie import Cookie, CookieRefusal, read_attributes


class Response(NamedTuple):
    """A Set-Cookie field and the origin of the response that contains it."""

    set_cookie: str
    source: Origin


def storing_repair(rule: Rule, response: Response) -> str:
    """Return how a server can comply with the rule by which browsers refuse this cookie."""
    match rule:
        case Rule.TAB:
            return rule.repair.format(remove_tab=_remove_tab(response.set_cookie))
        case Rule.PREFIX_HOST:
            return rule.repair.format(host_fix=_host_fix(*response))
        case Rule.SECURE_SOURCE:
            stored = _is_stored(_without("secure")(response))
            return rule.repair.format(or_no_secure=", or leave out Secure" if stored else "")
        case Rule.OTHER_DOMAIN:
            domain = read_attributes(response.set_cookie)["domain"]
            return _other_domain(rule, domain, response.source)
        case _:
            return rule.repair.format(and_https=_and_https(response.source))


def sending_repair(rule: Rule, cookie: Cookie, target: Origin, context: Context) -> str:
    """Return how a server can comply with the rule by which a request withholds this cookie."""
    if rule is Rule.STRICT and not context.top_level:
        rule = Rule.EMBEDDED  # SameSite=Lax would not be enough
    elif rule is Rule.STRICT and context.method not in SAFE_METHODS:
        rule = Rule.UNSAFE_METHOD
    share = _share_host(cookie, target.host)
    return rule.repair.format(
        and_https=_and_https(target),
        share_host=share,
        share_domain=share,
        path=f"Path={cookie.path}",
        path_urls=f"{cookie.path} and URLs below it",
        target_path=target.path,
        top_site="{}://{}".format(*context.partition(target)),
    )


def _is_stored(response: Response) -> bool:
    try:
        return Jar().store(*response) is not None
    except CookieRefusal:
        return False


def _and_https(origin: Origin) -> str:
    return "" if origin.trustworthy else ", and use https"


def _remove_tab(set_cookie: str) -> str:
    name, equals, value = set_cookie.partition(";")[0].partition("=")
    if equals and "\t" in name.strip():
        return "Remove the tab from the name"
    if "\t" in (value if equals else name).strip():
        return "Remove the tab from the value, or encode it as %09"
    return "Remove the tab from the attribute"


def _host_fix(set_cookie: str, source: Origin) -> str:
    found = read_attributes(set_cookie)
    steps = []
    if found.get("path") != "/":
        steps.append("change Path to /" if "path" in found else "add Path=/")
    if found.get("domain") and not (
        ip_address_of(source.host) and found["domain"] == source.url_host
    ):
        steps.append("leave out Domain")
    text = " and ".join(steps)
    return text[:1].upper() + text[1:]


def _other_domain(rule: Rule, attribute: str, source: Origin) -> str:
    wanted = punycode(attribute.removeprefix(".").lower())
    if not wanted:
        who = ""
    elif ip_address_of(wanted):
        who = f". Only a response of {wanted} can set a cookie for it"
    else:
        who = f". Only a response of {wanted}, or of a host below it, can set a cookie for it"
    site = _shared_domain(source.host, source.host)
    own = [source.host, site] if site != source.host else [site]
    named = " or ".join(f"Domain={each}" for each in own)
    return rule.repair.format(own_domains=f", or use {named}" if site else "", who_may_set=who)


def _share_host(cookie: Cookie, host: str) -> str:
    shared = _shared_domain(cookie.domain, host)
    if shared:
        advice = f"Use Domain={shared}"
        if cookie.name.lower().startswith("__host-"):
            advice += ", and a name without the prefix"
        return f"{advice}. Browsers then send the cookie to {shared} and all hosts below it"
    hosts = [cookie.domain, host]
    if all(map(ip_address_of, hosts)):
        names = "Give both machines names below one domain, and set Domain to it"
        return f"{names}. Cookies cannot be shared between IP addresses"
    if any(ip_address_of(each) or "." not in each for each in hosts):
        why = f"For cookies, {cookie.domain} and {host} are different hosts, even on one machine"
    else:
        why = f"{host} and {cookie.domain} are different sites, and sites cannot share cookies"
    return f"Use the same host name in both URLs. {why}"


def _shared_domain(one: str, other: str) -> str:
    """Return the registrable domain that two hosts have in common, or "" if there is none."""
    domain = registrable_domain(one)
    if ip_address_of(domain) or is_public_suffix(domain) or not domain_match(other, domain):
        return ""
    return domain


def repaired(rule: Rule, response: Response) -> Response | None:
    """Return the response after the repair of one refusal, or None if no program can repair it."""
    repair = REPAIRS.get(rule)
    return repair and repair(response)


def _without(name: str) -> Callable[[Response], Response]:
    """Return a function that removes an attribute. name: in lower case."""

    def repair(response: Response) -> Response:
        return response._replace(set_cookie=_edited(response.set_cookie, remove={name}))

    return repair


def _with(*attributes: str) -> Callable[[Response], Response]:
    """Return a function that sets attributes, and uses https if Secure needs it."""

    def repair(response: Response) -> Response:
        edited = _edited(response.set_cookie, add=attributes)
        fixed = response._replace(set_cookie=edited)
        return _over_https(fixed) if "Secure" in attributes else fixed

    return repair


def _over_https(response: Response) -> Response:
    url = str(response.source)
    if response.source.trustworthy:
        return response
    return response._replace(source=Origin.of(url.replace("http:", "https:", 1)))


def _host_prefix(response: Response) -> Response:
    fixed = _edited(response.set_cookie, remove={"domain"}, add=("Path=/",))
    return response._replace(set_cookie=fixed)


def _cleaned(response: Response) -> Response:
    kept = "".join(c for c in response.set_cookie if c >= " " and c != "\x7f")
    return response._replace(set_cookie=kept)


def _named(response: Response) -> Response:
    pair, semicolon, rest = response.set_cookie.partition(";")
    value = pair.strip().removeprefix("=")
    return response._replace(set_cookie=f"name={value}{semicolon}{rest}")


def _edited(set_cookie: str, remove: Collection[str] = (), add: Collection[str] = ()) -> str:
    """Return the field without some attributes, and with others. remove: lower-case names."""
    gone = {*remove} | {each.partition("=")[0].lower() for each in add}
    pair, *rest = (part.strip() for part in set_cookie.split(";"))
    kept = [part for part in rest if part.partition("=")[0].strip().lower() not in gone]
    return "; ".join([pair, *filter(None, kept), *add])


REPAIRS: dict[Rule, Callable[[Response], Response]] = {
    Rule.CONTROL_CHARACTER: _cleaned,
    Rule.TAB: _cleaned,
    Rule.EMPTY: _named,
    Rule.NAMELESS_EQUALS: _named,
    Rule.PREFIX_NAMELESS: _named,
    Rule.PUBLIC_SUFFIX: _without("domain"),
    Rule.OTHER_DOMAIN: _without("domain"),
    Rule.PREFIX_SECURE: _with("Secure"),
    Rule.PREFIX_HOST: _host_prefix,
    Rule.PREFIX_HTTP_ONLY: _with("HttpOnly"),
    Rule.PARTITIONED_SECURE: _with("Secure"),
    Rule.SECURE_SOURCE: _over_https,
    Rule.HIDES_SECURE: _with("Secure"),
    Rule.CROSS_SITE_SET: _with("SameSite=None", "Secure"),
    Rule.NONE_SECURE: _with("Secure"),
}
