"""The summary bar below every page: its exchange in one sentence that links to the panel."""

import os
import re
from html import escape

from django.http import HttpResponse

from labkit.panel.exchange_log import SERVER
from labkit.panel.exchange_outcome import Outcome, SessionEvent
from labkit.panel.models import Exchange
from labkit.text_format import exact_duration, quantity

LONGEST_PATH = 60  # characters
_BAR = (
    '<link rel="stylesheet" href="/__lab__/static/panel.css">'
    '<aside class="summary-bar" aria-label="This request" data-clock-ahead="{ahead:.0f}">'
    "{clock}"
    '<a class="summary-row" href="/__lab__/exchange/{token}/">{server}{exchanges}</a></aside>'
    '<script src="/__lab__/static/panel.js" defer></script>'
)
_NOT_SAVED = "session changed but NOT saved"
_SESSION_TEXTS = {
    SessionEvent.UNTOUCHED: "session untouched",
    SessionEvent.READ: "session read",
    SessionEvent.CREATED: "session created",
    SessionEvent.SAVED: "session saved",
    SessionEvent.DELETED: "session deleted",
    SessionEvent.DISCARDED: _NOT_SAVED,
    SessionEvent.CHANGE_LOST: _NOT_SAVED,
    SessionEvent.DELETED_BY_OTHER: "session NOT saved, deleted meanwhile",
    SessionEvent.SAVE_FAILED: "session NOT saved, the store failed",
    SessionEvent.LOAD_FAILED: "session NOT read, the store failed",
}
_FAILURES = {SessionEvent.DELETED_BY_OTHER, SessionEvent.SAVE_FAILED, SessionEvent.LOAD_FAILED}
# Why an HTML page has no bar. Pages carry the key as data-no-bar.
NO_BAR = {
    "no-end": "no bar: this HTML has no </body>",
    "encoded": "no bar: the response is compressed",
    "streams": "no bar: the response streams",
}
_BODY_END = re.compile(rb"</body\s*>", re.IGNORECASE)
_WITHOUT_EFFECT = {SessionEvent.EMPTY, SessionEvent.NOT_DELIVERED}


def append_to(response: HttpResponse, content: bytes | None, exchange: Exchange) -> None:
    """Insert the bar before the end of an HTML page; leave every other response as it is.

    content: None if the response streams. An HTML page without a bar gets a reason in `no_bar`.
    """
    if not exchange.content_type.lower().startswith("text/html") or content == b"":
        return
    if content is None or "Content-Encoding" in response.headers:
        exchange.no_bar = "streams" if content is None else "encoded"
        return
    end = content.rfind(b"</body>")
    if end < 0:
        end = max((found.start() for found in _BODY_END.finditer(content)), default=-1)
    if end < 0:
        exchange.no_bar = "no-end"
        return
    bar = _BAR.format(
        token=exchange.token,
        ahead=exchange.clock_ahead,
        clock=_clock(exchange),
        server=escape(_server(exchange)),
        exchanges=" → ".join(map(_marked_up, exchange.with_redirect())),
    )
    # Every encoding in which the end was found has ASCII. Django looks up the charset slowly.
    added = bar.encode("ascii", "xmlcharrefreplace")
    response.content = content[:end] + added + content[end:]
    if "Content-Length" in response.headers:
        response.headers["Content-Length"] = str(len(response.content))


def summarize_with_redirect(exchange: Exchange) -> str:
    """Return the sentence of an exchange, after that of the redirect which led to it."""
    return _server(exchange) + " → ".join(map(summarize, exchange.with_redirect()))


def _clock(exchange: Exchange) -> str:
    """Return by how much the server's clock is ahead, as HTML; empty if it is not."""
    if not exchange.clock_ahead:
        return ""
    ahead = exact_duration(round(exchange.clock_ahead))
    return f"<p data-server-clock>Server clock: +{ahead}</p>"


def _server(exchange: Exchange) -> str:
    """Return the server and database node that responded, if there are several.

    The server is this one: each server remembers its own exchanges.
    """
    server = f"Server {SERVER} of {os.environ.get('LAB_SERVERS')}. " if SERVER else ""
    node = f"Node {exchange.node} of {os.environ.get('LAB_NODES')}. " if exchange.node else ""
    return server + node


def _marked_up(exchange: Exchange) -> str:
    outcome = Outcome(exchange)
    event = outcome.event if exchange.engine else ""
    deleted = exchange.deleted_cookie_names()
    cookies = [name for name in exchange.set_cookie_names() if name not in deleted]
    request = _request(exchange)
    return (
        f'<span data-request="{escape(request)}" data-status="{exchange.status}" '
        f'data-session="{event}" data-set-cookies="{escape(" ".join(cookies))}" '
        f'data-deleted-cookies="{escape(" ".join(deleted))}">'
        f"{escape(_sentence(outcome))}</span>"
    )


def summarize(exchange: Exchange) -> str:
    """Return one exchange in a sentence."""
    return _sentence(Outcome(exchange))


def _sentence(outcome: Outcome) -> str:
    exchange = outcome.exchange
    session = f", {summarize_session(outcome)}" if exchange.engine else ""
    number = len(exchange.set_cookies)
    cookies = f", {quantity(number, 'cookie')} set" if number else ""
    return f"{_request(exchange)}: {exchange.status}{session}{cookies}"


def _request(exchange: Exchange) -> str:
    path = exchange.path
    if len(path) > LONGEST_PATH:
        path = f"{path[: LONGEST_PATH - 1]}…"
    return f"{exchange.method} {path}"


def summarize_session(outcome: Outcome) -> str:
    """Return what became of the visitor's session, in two or three words."""
    event = outcome.event
    if event not in _FAILURES and outcome.exchange.modified and outcome.error_response:
        return _NOT_SAVED
    if event in _WITHOUT_EFFECT:  # as if nothing were changed
        event = SessionEvent.READ if outcome.accessed else SessionEvent.UNTOUCHED
    return _SESSION_TEXTS[event]
