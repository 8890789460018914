"""Add the summary bar, which links to the panel, at the bottom of every page."""

import os
import re
from functools import lru_cache
from html import escape

from django.http import HttpRequest, HttpResponse

from labkit.panel import control_bar, control_messages, student_access
from labkit.panel.access import is_local_instructor
from labkit.panel.cookie_explanations import CookieEffect, cookie_effects
from labkit.panel.exchange_log import SERVER
from labkit.panel.exchange_outcome import Outcome
from labkit.panel.exchange_words import (
    SEPARATOR,
    Words,
    summarize,
    summary_words,
)
from labkit.panel.models import Exchange

_STYLE = '<link rel="stylesheet" href="/__lab__/static/panel.css">'
# Pages that are not the lab's own, such as Django's debug page, do not define the colours.
_COLOURS = '<link rel="stylesheet" href="/__lab__/static/palette.css">'
_LAB_STYLE = b"/lab.css"
_SCRIPT = '<script src="/__lab__/static/panel.js" defer></script>'
# The script is encoded only once, because encoding is slow.
_SEPARATOR = SEPARATOR.encode("ascii", "xmlcharrefreplace").decode()
# Reasons why an HTML page has no bar. Pages contain the key as data-no-bar.
NO_BAR = {
    "no-end": "no bar: this HTML has no </body>",
    "encoded": "no bar: the response is compressed",
    "streams": "no bar: the response streams",
}
_BODY_END = re.compile(rb"</body\s*>", re.IGNORECASE)


def append_to(
    request: HttpRequest, response: HttpResponse, content: bytes | None, exchange: Exchange
) -> None:
    """Insert the bar before the end of an HTML page; leave other responses unchanged.

    content: None if the response is streamed. If no bar is added to an HTML page, set
    `exchange.no_bar` to the reason.
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
    server = _server(exchange)
    # Every page needs the bar, so it is built in the fastest way: by joining strings.
    colours = "" if _LAB_STYLE in content else _COLOURS
    crash = ""
    if exchange.crash and student_access.may_see_crash(request):
        crash = exchange.crash.as_html()
    bar = (
        f'{_STYLE}{colours}<aside class="summary-bar" aria-label="This request" '
        f'data-clock-ahead="{exchange.clock_ahead:.0f}">'
        f"{crash}"
        f"{control_bar.state(exchange.clock_ahead, instructor, message)}"
        f'<a class="summary-row" href="/__lab__/exchange/{exchange.token}/">'
        f"{server and escape(server)}{' '.join(map(_row, exchange.with_redirect()))}</a>"
        f"{control_bar.clock_form(exchange.token) if instructor else ''}</aside>{_SCRIPT}"
    )
    # ASCII text is valid in every encoding in which </body> can be found, and using it is faster
    # than looking up the response's charset.
    added = bar.encode("ascii", "xmlcharrefreplace")
    response.content = content[:end] + added + content[end:]
    if "Content-Length" in response.headers:
        response.headers["Content-Length"] = str(len(response.content))


def summarize_with_redirect(exchange: Exchange) -> str:
    """Return the summary of an exchange, preceded by that of the redirect that led to it."""
    return _server(exchange) + " → ".join(map(summarize, exchange.with_redirect()))


def _server(exchange: Exchange) -> str:
    """Return the names of the server and the database node that responded, if there are several.

    The server is always the current one, because each server stores only its own exchanges.
    """
    if not (SERVER or exchange.node):
        return ""
    server = f"Server {SERVER} of {os.environ.get('LAB_SERVERS')}. " if SERVER else ""
    node = f"Node {exchange.node} of {os.environ.get('LAB_NODES')}. " if exchange.node else ""
    return server + node


def _row(exchange: Exchange) -> str:
    """Return an exchange's summary as HTML, with data attributes for scripts and tests."""
    outcome, effects = Outcome(exchange), cookie_effects(exchange)
    return _row_html(
        summary_words(outcome, effects),
        exchange.status,
        outcome.event if exchange.engine else "",
        outcome.key_fate or "",
        " ".join(effects.get(CookieEffect.SET, ())),
        " ".join(effects.get(CookieEffect.DELETED, ())),
    )


@lru_cache(maxsize=256)
def _row_html(
    words: tuple[Words, ...],
    status: int,
    session: str,
    key_fate: str,
    set_cookies: str,
    deleted_cookies: str,
) -> str:
    """Return the HTML of a summary; it is cached, since most summaries are the same."""
    text = _SEPARATOR.join(
        f'<span class="{each.place}">{escape(each.text)}</span>' for each in words
    )
    return (
        f'<span class="summary" data-request="{escape(words[0].text)}" '
        f'data-status="{status}" data-session="{session}" '
        f'data-key-fate="{key_fate}" data-set-cookies="{escape(set_cookies)}" '
        f'data-deleted-cookies="{escape(deleted_cookies)}">{text}</span>'
    )
