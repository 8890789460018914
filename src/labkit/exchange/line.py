"""The one line below every page: what its exchange came to, in a sentence."""

from html import escape

from django.http import HttpResponse

from labkit.exchange.record import Exchange

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
    earlier = exchange.before_this
    own = gist(exchange)
    return f"{gist(earlier)} → {own}" if earlier else own


def gist(exchange: Exchange) -> str:
    """One exchange in a sentence."""
    path = exchange.path if len(exchange.path) <= 60 else f"{exchange.path[:59]}…"
    said = [f"{exchange.method} {path}: {exchange.status}"]
    if exchange.engine:
        said.append(session_in_short(exchange))
    if number := len(exchange.set_cookies):
        said.append(f"{number} cookie{'' if number == 1 else 's'} set")
    return ", ".join(said)


def session_in_short(exchange: Exchange) -> str:
    """What became of the visitor's session, in two or three words."""
    stored = exchange.stored()
    if stored is not None and stored.failed:
        return "session NOT saved, the store failed"
    if stored is not None:
        words = {"create": "session created", "delete": "session deleted", "save": "session saved"}
        return words[stored.kind]
    if lost_change(exchange):
        return "session changed but NOT saved"
    if exchange.touches.get(exchange.session or 0):
        return "session read"
    return "session untouched"


def lost_change(exchange: Exchange) -> bool:
    """Whether the session held something else in the end than was loaded, and it was not saved."""
    if exchange.after is None or exchange.stored() is not None:
        return False
    loaded = exchange.loaded()
    before = loaded.data if loaded else None
    if before is None:
        return exchange.modified
    return before != exchange.after
