"""Convert the exchanges of a visit to the actions that repeat the visit.

A redirect that the browser followed is part of the request before it. The panel cannot see some
actions, such as editing a cookie. They are inferred from the cookies of the next request.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from django.conf import settings
from django.middleware import csrf

from labkit.http.cookie_header import from_wire
from labkit.panel.exchange_outcome import Outcome
from labkit.panel.models import Exchange
from labkit.panel.session_memory import KeyFate
from labkit.panel.visit.actions import (
    TOKEN,
    Action,
    BlockCookies,
    ChangeSession,
    CloseBrowser,
    DeleteCookie,
    LeftOut,
    Pause,
    Request,
    Script,
    SetCookie,
)
from labkit.panel.visit.browsers import (
    Browser,
    browser_time,
    differences,
    group,
    sent_cookies,
)
from labkit.panel.visit.effects import as_json, stored_after

SHORTEST_PAUSE = 5  # in seconds; a shorter pause is added to the next one
CUT = "the panel recorded only the start of its URL or cookies"
NO_BODY = "the panel did not record its body"
NESTED = "it arrived while the previous request was being handled"


def read(exchanges: Sequence[Exchange], first: int = 0, last: int | None = None) -> Script:
    """Return the actions that repeat these exchanges, from number `first` to number `last`.

    The exchanges before `first` only help to tell browsers apart.
    """
    ordered = sorted(exchanges, key=lambda each: each.number)
    numbers = group(ordered)
    chosen = [e for e in ordered if first <= e.number and (last is None or e.number <= last)]
    earlier = [e for e in ordered if e.number < first]
    reader = _Reader({e.number: numbers[e.number] for e in chosen}, earlier)
    actions = list(reader.actions(chosen))
    return Script(actions, [reader.browsers[number].host for number in sorted(reader.browsers)])


class _Reader:
    """The state of the browsers and the store while the exchanges are read."""

    def __init__(self, numbers: dict[int, int], earlier: Sequence[Exchange]) -> None:
        order = list(dict.fromkeys(numbers.values()))  # browsers in order of appearance
        self._numbers = {number: order.index(browser) for number, browser in numbers.items()}
        self._earlier = earlier
        self.browsers: dict[int, Browser] = {}
        self._requests: list[Request] = []
        self._stored: dict[str, dict[str, Any] | None] = {}  # by key; None if too large
        self._issued: set[str] = set()  # all session keys that these exchanges set
        self._clock = self._ahead = 0.0  # at the last action, as in Point.real and Point.ahead

    def actions(self, exchanges: Sequence[Exchange]) -> Iterator[Action]:
        """Yield the actions for these exchanges, which must be sorted by number."""
        if exchanges:
            self._clock = math.ceil(browser_time(exchanges[0]))
            self._ahead = exchanges[0].clock_ahead
        blocked = {each for each in self._numbers.values() if self._is_blocked(each, exchanges)}
        followers = dict(_redirects(exchanges, self._numbers))
        followed = {each.number for chain in followers.values() for each in chain}
        outer: Exchange | None = None
        for exchange in exchanges:
            if exchange.number in followed:
                continue
            number = self._numbers[exchange.number]
            is_new = number not in self.browsers
            visitor = (exchange.peer, exchange.agent, exchange.host)
            browser = self.browsers.setdefault(number, Browser(visitor))
            if why := _obstacle(exchange, outer):
                yield LeftOut(number, f"{exchange.method} {exchange.path}", why)
                browser.receive(exchange)
                continue
            outer = exchange
            yield from self._pauses(exchange)
            if is_new and number in blocked:
                yield BlockCookies(number)
            elif number not in blocked:
                yield from self._cookie_changes(exchange, number)
            yield from self._session_changes(exchange, number)
            browser.correct(exchange)
            chain = [exchange, *followers.get(exchange.number, [])]
            request = Request(number, chain, self._form_page(exchange, number))
            if request.form_page is None and _has_form(exchange):
                request.form_url = self._earlier_page(exchange)
            for each in chain if number not in blocked else ():
                browser.receive(each)
            request.kept = browser.kept(request.last)
            for each in chain:
                self._note_session(each, request)
            self._requests.append(request)
            yield request

    def _is_blocked(self, number: int, exchanges: Sequence[Exchange]) -> bool:
        """Return whether a browser received cookies but never sent any of them."""
        own = [each for each in exchanges if self._numbers[each.number] == number]
        browser, given, was_due = Browser(()), set[str](), False
        for exchange in own:
            if given & {from_wire(name) for name, _ in exchange.sent_cookies()}:
                return False
            was_due = was_due or bool(browser.expected(exchange))
            given.update(exchange.set_cookie_names())
            browser.receive(exchange)
        return was_due

    def _pauses(self, exchange: Exchange) -> Iterator[Action]:
        now = math.ceil(browser_time(exchange))
        if now - self._clock >= SHORTEST_PAUSE:
            yield Pause(int(now - self._clock))
            self._clock = now
        if moved := round(exchange.clock_ahead - self._ahead):
            yield Pause(moved, server_only=True)
            self._ahead = exchange.clock_ahead

    def _cookie_changes(self, exchange: Exchange, number: int) -> Iterator[Action]:
        """Yield what happened to the browser's cookies since its last request."""
        browser = self.browsers[number]
        expected, sent = browser.expected(exchange), sent_cookies(exchange, browser)
        missing = sorted(expected.keys() - sent.keys())
        lost = {each.key for each in browser.cookies.values() if each.expires is None}
        at_close = {each.name for each in browser.cookies.values() if each.key in lost}
        if missing and at_close and set(missing) == at_close & expected.keys():
            yield CloseBrowser(number)
        else:
            yield from (DeleteCookie(number, name) for name in missing)
        for name in sorted(differences(exchange, browser) - set(missing)):
            if name == settings.CSRF_COOKIE_NAME:
                continue  # every visit has a different CSRF token
            if name == settings.SESSION_COOKIE_NAME and (data := self._initial(exchange)):
                yield ChangeSession(number, data, is_new=True)
            else:
                yield SetCookie(number, name, sent[name], name not in expected)

    def _initial(self, exchange: Exchange) -> dict[str, Any] | None:
        """Return the entries of a session that was stored before the visit, or None."""
        outcome = Outcome(exchange)
        if outcome.load is None or not outcome.load.found or outcome.sent_key in self._issued:
            return None
        return None if outcome.before is None else as_json(outcome.before)

    def _session_changes(self, exchange: Exchange, number: int) -> Iterator[Action]:
        """Yield a change to the session in the store that no recorded request made."""
        load = Outcome(exchange).load if exchange.engine else None
        if load is None or load.error or (load.key or "") not in self._stored:
            return
        known = self._stored[load.key or ""]
        if not load.found:
            if load.key_fate is not KeyFate.EXPIRED:
                yield ChangeSession(number, None)
            return
        before = Outcome(exchange).before
        if known is not None and before is not None and as_json(before) != known:
            yield ChangeSession(number, as_json(before))

    def _note_session(self, exchange: Exchange, request: Request) -> None:
        """Note the session's entries in the store after an exchange."""
        if not exchange.engine:
            return
        outcome = Outcome(exchange)
        if outcome.key_before != outcome.key_after:
            self._stored.pop(outcome.key_before, None)
        self._issued.add(outcome.key_after)
        if outcome.key_after and outcome.was_stored:
            after = stored_after(exchange)
            known = outcome.after if after is None else after
            self._stored[outcome.key_after] = None if known is None else as_json(known)
        if (stored := stored_after(exchange)) is not None:
            request.stored = stored

    def _form_page(self, exchange: Exchange, number: int) -> Request | None:
        """Return the request whose page contained the submitted form, or None if unknown."""
        if not _has_form(exchange):
            return None
        pages = [each for each in self._requests if each.browser == number and each.has_page]
        token = dict(parse_qsl(exchange.form, keep_blank_values=True)).get(TOKEN, "")
        if token:
            secret = _secret(token)
            pages = [each for each in pages if secret in {"", _page_secret(each)}]
        if not pages:
            return None
        return _most_probable(pages, exchange, self._requests) if token else pages[-1]

    def _earlier_page(self, exchange: Exchange) -> str:
        """Return the URL of the earlier page that most probably contained the submitted form."""
        visitor = (exchange.peer, exchange.agent, exchange.host)
        pages = [
            each.path
            for each in self._earlier
            if (each.peer, each.agent, each.host) == visitor
            and (each.method, each.status) == ("GET", 200)
            and each.content_type.startswith("text/html")
        ]
        own = [path for path in pages if path == exchange.path]
        return (own or pages or [exchange.path])[-1]


def _most_probable(
    pages: Sequence[Request], exchange: Exchange, requests: Sequence[Request]
) -> Request:
    """Return the page that most probably contained the submitted form.

    The best candidates have the URL of the form, or sent a form to that URL before. Next are pages
    at URLs to which no form was sent, because other pages probably have their own forms. Among
    equal candidates, the newest page is returned.
    """
    action = _path(exchange)
    senders = {
        _path(each.form_page.last)
        for each in requests
        if each.form_page is not None and _path(each.first) == action
    }
    targets = {_path(each.first) for each in requests if each.first.method == "POST"}

    def rank(place: int) -> tuple[bool, bool, int]:
        path = _path(pages[place].last)
        return path == action or path in senders, path not in targets, place

    return pages[max(range(len(pages)), key=rank)]


def _has_form(exchange: Exchange) -> bool:
    """Return whether a browser, not another program, submitted a form."""
    return exchange.method == "POST" and exchange.agent.startswith("Mozilla/")


def _obstacle(exchange: Exchange, outer: Exchange | None) -> str:
    """Return why a request cannot be repeated, or "". `outer`: the previous request."""
    if exchange.is_cut:
        return CUT
    if exchange.body_left_out:
        return NO_BODY
    if outer is not None and exchange.number > outer.number:
        end = exchange.monotonic + exchange.duration
        if end < outer.monotonic + outer.duration:
            return NESTED
    return ""


def _redirects(
    exchanges: Sequence[Exchange], numbers: dict[int, int]
) -> Iterator[tuple[int, list[Exchange]]]:
    """Yield (number of a request, the redirects that the browser followed after it)."""
    taken: set[int] = set()
    for index, exchange in enumerate(exchanges):
        chain, at = [exchange], index
        while exchange.number not in taken and chain[-1].location:
            target = _without_host(urljoin(chain[-1].path, chain[-1].location))
            browser = numbers[exchange.number]
            later = (
                (place, each)
                for place, each in enumerate(exchanges[at + 1 :], at + 1)
                if numbers[each.number] == browser
            )
            at, following = next(later, (at, None))
            if following is None or (following.method, following.path) != ("GET", target):
                break
            chain.append(following)
            taken.add(following.number)
        if len(chain) > 1:
            yield exchange.number, chain[1:]


def _without_host(url: str) -> str:
    return urlsplit(url)._replace(scheme="", netloc="", fragment="").geturl()


def _path(exchange: Exchange) -> str:
    return exchange.path.partition("?")[0]


def _secret(token: str) -> str:
    """Return the secret in a form's CSRF token, or "" if it has another format."""
    if len(token) != csrf.CSRF_TOKEN_LENGTH:
        return ""
    try:
        secret: str = csrf._unmask_cipher_token(token)
    except ValueError:  # it has characters that Django does not use
        return ""
    return secret


def _page_secret(request: Request) -> str:
    """Return the CSRF secret that the browser had when it received this page, or ""."""
    name, secret = settings.CSRF_COOKIE_NAME, ""
    for exchange in request.exchanges:
        secret = dict(exchange.sent_cookies()).get(name, secret)
        for line in exchange.set_cookies:
            if line.startswith(f"{name}="):
                secret = line.partition(";")[0].partition("=")[2]
    return secret
