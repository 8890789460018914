"""The summary bar below every page: what happened in its exchange, as a link to the panel."""

import os
import re
from html import escape

from django.http import HttpRequest, HttpResponse

from labkit.panel import control_bar, control_messages
from labkit.panel.access import is_local_instructor
from labkit.panel.cookie_explanations import CookieEffect, cookie_effects
from labkit.panel.exchange_log import SERVER
from labkit.panel.exchange_outcome import Outcome
from labkit.panel.exchange_words import SEPARATOR, request_line, summarize, summary_words
from labkit.panel.models import Exchange

_BAR = (
    '<link rel="stylesheet" href="/__lab__/static/panel.css">'
    '<aside class="summary-bar" aria-label="This request" data-clock-ahead="{ahead:.0f}">'
    "{control_state}"
    '<a class="summary-row" href="/__lab__/exchange/{token}/">{server}{exchanges}</a>'
    "{clock_form}</aside>"
    '<script src="/__lab__/static/panel.js" defer></script>'
)
_SEPARATOR = SEPARATOR.encode("ascii", "xmlcharrefreplace").decode()  # once, since it is slow
# Why an HTML page has no bar. Pages carry the key as data-no-bar.
NO_BAR = {
    "no-end": "no bar: this HTML has no </body>",
    "encoded": "no bar: the response is compressed",
    "streams": "no bar: the response streams",
}
_BODY_END = re.compile(rb"</body\s*>", re.IGNORECASE)


def append_to(
    request: HttpRequest, response: HttpResponse, content: bytes | None, exchange: Exchange
) -> None:
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
    instructor = is_local_instructor(request)
    message = control_messages.take_for_page(request, exchange) if instructor else None
    bar = _BAR.format(
        token=exchange.token,
        ahead=exchange.clock_ahead,
        control_state=control_bar.state(exchange.clock_ahead, instructor, message),
        clock_form=control_bar.clock_form(exchange.token) if instructor else "",
        server=escape(_server(exchange)),
        exchanges=" ".join(map(_row, exchange.with_redirect())),
    )
    # Every encoding in which the end was found has ASCII. Django looks up the charset slowly.
    added = bar.encode("ascii", "xmlcharrefreplace")
    response.content = content[:end] + added + content[end:]
    if "Content-Length" in response.headers:
        response.headers["Content-Length"] = str(len(response.content))


def summarize_with_redirect(exchange: Exchange) -> str:
    """Return the summary of an exchange, after that of the redirect which led to it."""
    return _server(exchange) + " → ".join(map(summarize, exchange.with_redirect()))


def _server(exchange: Exchange) -> str:
    """Return the server and database node that responded, if there are several.

    The server is this one: each server remembers its own exchanges.
    """
    server = f"Server {SERVER} of {os.environ.get('LAB_SERVERS')}. " if SERVER else ""
    node = f"Node {exchange.node} of {os.environ.get('LAB_NODES')}. " if exchange.node else ""
    return server + node


def _row(exchange: Exchange) -> str:
    """Return an exchange as HTML: its words, and attributes for programs."""
    outcome, effects = Outcome(exchange), cookie_effects(exchange)
    session = outcome.event if exchange.engine else ""
    set_cookies = escape(" ".join(effects.get(CookieEffect.SET, ())))
    deleted_cookies = escape(" ".join(effects.get(CookieEffect.DELETED, ())))
    words = _SEPARATOR.join(
        f'<span class="{place}">{escape(text)}</span>'
        for text, place, *_ in summary_words(outcome, effects)
    )
    return (
        f'<span class="summary" data-request="{escape(request_line(exchange))}" '
        f'data-status="{exchange.status}" data-session="{session}" '
        f'data-key-fate="{outcome.key_fate or ""}" data-set-cookies="{set_cookies}" '
        f'data-deleted-cookies="{deleted_cookies}">{words}</span>'
    )
