"""An exchange as a sequence diagram, in SVG drawn on the server and as text."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from labkit.panel.models import Exchange, open_snapshot

BROWSER, SERVER, STORE = range(3)
NAMES = ["Browser", "Server", "Store"]
LANES = [80, 360, 640]  # x of each, in units of the drawing
WIDTH, TOP, STEP = 720, 64, 46


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
    return [arrow for each in exchange.with_redirect() for arrow in _arrows(each)]


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
    drawn = [_draw(arrow, TOP + STEP * row + 18) for row, arrow in enumerate(arrows(exchange))]
    context = {
        "width": WIDTH,
        "height": TOP + STEP * len(drawn) + 16,
        "lanes": list(zip(LANES, NAMES, strict=True)),
        "arrows": drawn,
    }
    return render_to_string("labkit/diagram.svg", context)


def _draw(arrow: Arrow, y: int) -> dict[str, Any]:
    """Return an arrow with its coordinates; `y`: of its line."""
    start, end = LANES[arrow.start], LANES[arrow.end]
    tip = end - 4 if end > start else end + 4
    kind = "inside" if STORE in {arrow.start, arrow.end} else "wire"
    return {"arrow": arrow, "kind": kind, "x": (start + end) // 2, "x1": start, "x2": tip, "y": y}
