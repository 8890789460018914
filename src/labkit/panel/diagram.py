"""An exchange as a sequence diagram, in SVG drawn on the server and as text."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from django.utils.safestring import SafeString, mark_safe

from labkit.panel.models import Exchange, open_snapshot

BROWSER, SERVER, STORE = range(3)
NAMES = ["Browser", "Server", "Store"]
LANES = [80, 360, 640]  # x of each, in units of the drawing
WIDTH, TOP, STEP = 720, 64, 46
LONGEST = 38  # characters of a label


@dataclass(frozen=True)
class Arrow:
    """One message; `start` and `end` are BROWSER, SERVER or STORE."""

    start: int
    end: int
    label: str
    detail: str = ""

    def __str__(self) -> str:
        more = f" ({self.detail})" if self.detail else ""
        return f"{NAMES[self.start]} to {NAMES[self.end].lower()}: {self.label}{more}"


def arrows(exchange: Exchange) -> list[Arrow]:
    """Return all messages in order, those of the redirect that led here first."""
    earlier = list(_arrows(exchange.redirect)) if exchange.redirect else []
    return [*earlier, *_arrows(exchange)]


def _arrows(exchange: Exchange) -> Iterator[Arrow]:
    names = [name for name, _ in exchange.sent_cookies()]
    yield Arrow(BROWSER, SERVER, f"{exchange.method} {exchange.path}", _list("Cookie", names))
    for operation in exchange.operations:
        key = f"{operation.key[:6]}…" if operation.key else ""
        yield Arrow(SERVER, STORE, f"{operation.kind} {key}".strip())
        if operation.error:
            yield Arrow(STORE, SERVER, "failed", operation.error)
        elif operation.kind == "load":
            data = open_snapshot(operation.data) or {}
            yield Arrow(STORE, SERVER, _list("entries", data) if data else "nothing")
    answer = f"{exchange.status} {exchange.reason}"
    if exchange.location:
        answer = f"{exchange.status} to {exchange.location}"
    yield Arrow(SERVER, BROWSER, answer, _list("Set-Cookie", exchange.set_cookie_names()))


def _list(what: str, names: "list[str] | dict[str, object]") -> str:
    return f"{what}: {', '.join(map(str, names))}" if names else ""


def svg(exchange: Exchange) -> SafeString:
    """Return the diagram. Its text equivalent is str() of each arrow."""
    steps = arrows(exchange)
    height = TOP + STEP * len(steps) + 16
    parts = [
        f'<svg class="diagram" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-labelledby="diagram-title">',
        '<title id="diagram-title">The exchange between browser, server and store; '
        "the same stands below as text.</title>",
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" '
        'markerHeight="8" orient="auto-start-reverse"><path d="M0 0L10 5L0 10z"/></marker></defs>',
    ]
    for lane, (x, name) in enumerate(zip(LANES, NAMES, strict=True)):
        parts.append(
            f'<g class="lane-{lane}"><line x1="{x}" y1="34" x2="{x}" y2="{height}"/>'
            f'<rect x="{x - 56}" y="4" width="112" height="30" rx="6"/>'
            f'<text x="{x}" y="24">{name}</text></g>'
        )
    for number, arrow in enumerate(steps):
        parts.append(_draw(arrow, TOP + STEP * number + 18))
    return mark_safe("".join([*parts, "</svg>"]))


def _draw(arrow: Arrow, y: int) -> str:
    wire = {arrow.start, arrow.end} == {BROWSER, SERVER}
    tip = 4 if arrow.end > arrow.start else -4
    start, end = LANES[arrow.start], LANES[arrow.end] - tip
    middle = (LANES[arrow.start] + LANES[arrow.end]) / 2
    kind = "wire" if wire else "inside"
    label = f'<text x="{middle}" y="{y - 6}">{escape(_short(arrow.label))}</text>'
    if arrow.detail:
        label += (
            f'<text class="small" x="{middle}" y="{y + 13}">{escape(_short(arrow.detail))}</text>'
        )
    line = f'<line x1="{start}" y1="{y}" x2="{end}" y2="{y}" marker-end="url(#tip)"/>'
    return f'<g class="{kind}">{line}{label}</g>'


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
