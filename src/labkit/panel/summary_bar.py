"""The one line below every page: what its exchange came to, in a sentence."""

import os
from html import escape

from django.conf import settings
from django.http import HttpResponse

from labkit.panel.log import SERVER, Exchange, recall
from labkit.text import quantity

_END = b"</body>"
_LINE = (
    '<link rel="stylesheet" href="/__lab__/static/panel.css">'
    '<aside class="lab-line" aria-label="This exchange">'
    '<a href="/__lab__/exchange/{token}/">{sentence}</a></aside>'
    '<script src="/__lab__/static/panel.js" defer></script>'
)


def add_to(response: HttpResponse, content: bytes, exchange: Exchange) -> None:
    """Put the line before the end of an HTML page; every other answer stays as it is."""
    if not exchange.content_type.startswith("text/html"):
        return
    if response.has_header("Content-Encoding"):
        return
    place = content.rfind(_END)
    if place < 0:
        return
    line = _LINE.format(token=exchange.token, sentence=escape(with_redirect(exchange)))
    added = line.encode(response.charset, "xmlcharrefreplace")
    response.content = content[:place] + added + content[place:]
    if response.has_header("Content-Length"):
        response.headers["Content-Length"] = str(len(response.content))


def with_redirect(exchange: Exchange) -> str:
    """The gist of an exchange, after that of the redirect which led to it."""
    told = f"{gist(exchange.before_this)} → " if exchange.before_this else ""
    ahead = "The server's clock has been moved. " if exchange.moved else ""
    return f"{ahead}{_who_answered(exchange)}{told}{gist(exchange)}"


def _who_answered(exchange: Exchange) -> str:
    """Which one of several servers and database nodes, under `lab run --servers` and `--db galera`.

    The server is this one: what other ones have answered they remember themselves.
    """
    server = f"Server {SERVER} of {os.environ.get('LAB_SERVERS')}. " if SERVER else ""
    node = f"Node {exchange.node} of {os.environ.get('LAB_NODES')}. " if exchange.node else ""
    return server + node


def gist(exchange: Exchange) -> str:
    """One exchange in a sentence."""
    path = exchange.path if len(exchange.path) <= 60 else f"{exchange.path[:59]}…"
    said = [f"{exchange.method} {path}: {exchange.status}"]
    if exchange.engine:
        said.append(session_in_short(exchange))
    if number := len(exchange.set_cookies):
        said.append(f"{quantity(number, 'cookie')} set")
    return ", ".join(said)


def session_in_short(exchange: Exchange) -> str:
    """What became of the visitor's session, in two or three words."""
    stored, loaded = exchange.stored(), exchange.loaded()
    if stored is not None and stored.failed:
        gone = stored.failed.startswith("UpdateError")
        return f"session NOT saved, {'deleted meanwhile' if gone else 'the store failed'}"
    if loaded is not None and loaded.failed:
        return "session NOT read, the store failed"
    if lost_change(exchange) or (exchange.modified and exchange.status >= 500):
        return "session changed but NOT saved"
    if stored is not None and kept(exchange):
        words = {"create": "session created", "delete": "session deleted", "save": "session saved"}
        return words[stored.kind]
    if exchange.touches.get(exchange.session or 0):
        return "session read"
    return "session untouched"


def kept(exchange: Exchange) -> bool:
    """Whether a write has come to something: for one engine it has to reach the browser."""
    if not exchange.engine.endswith(".signed_cookies"):
        return True
    name = f"{settings.SESSION_COOKIE_NAME}="
    return any(line.startswith(name) for line in exchange.set_cookies)


def lost_change(exchange: Exchange) -> bool:
    """Whether the session held something else in the end than was loaded, and nobody told it."""
    if exchange.modified or exchange.after is None or exchange.stored() is not None:
        return False
    loaded = exchange.loaded()
    if loaded is not None and (loaded.failed or loaded.data == exchange.after):
        return False
    before = recall(loaded.data) if loaded else {}
    after = recall(exchange.after)
    return before is not None and after is not None and before != after
