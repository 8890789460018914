"""List the messages between browser, server and store in an exchange, for the panel's diagram."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from labkit.panel.connection import connection_words
from labkit.panel.cookie_explanations import cookie_effects, cookie_owner
from labkit.panel.models import Exchange, StoreOperation, open_snapshot
from labkit.panel.session_memory import KeyFate
from labkit.text_format import quantity

BROWSER, SERVER, STORE = range(3)
PLACES = ["Browser", "Server", "Store"]
MOST_NAMES = 6  # names on one line
CSRF = "Django's CSRF cookie"


@dataclass(frozen=True)
class Arrow:
    """One message, from `start` to `end`, which are BROWSER, SERVER or STORE."""

    start: int
    end: int
    label: str
    details: tuple[str, ...] = ()

    @property
    def places(self) -> str:
        """Both ends of the arrow in words, for readers who cannot see it."""
        return f"{PLACES[self.start]} to {PLACES[self.end].lower()}"


def arrows(exchange: Exchange) -> list[Arrow]:
    """Return all messages in order, beginning with those of the redirect that led here."""
    return [arrow for each in exchange.with_redirect() for arrow in _arrows(each)]


def _arrows(exchange: Exchange) -> Iterator[Arrow]:
    names = [name for name, _ in exchange.sent_cookies()]
    sent = f"Cookie: {count_by_owner(names)}" if names else "no cookies"
    details = filter(None, (sent, connection_words(exchange)))
    yield Arrow(BROWSER, SERVER, f"{exchange.method} {exchange.path}", tuple(details))
    for operation in exchange.operations:
        key = f"{operation.key[:6]}…" if operation.key else ""
        if operation.kind == "clear":
            key = "all expired"
        yield Arrow(SERVER, STORE, f"{operation.kind} {key}".strip())
        if operation.error:
            yield Arrow(STORE, SERVER, "failed", (operation.error,))
        elif operation.kind == "load":
            yield Arrow(STORE, SERVER, _found(operation))
    response = f"{exchange.status} {exchange.reason}"
    if exchange.location:
        response = f"{exchange.status} to {exchange.location}"
    effects = cookie_effects(exchange).items()
    cookies = tuple(f"{effect.verb} {count_by_owner(names)}" for effect, names in effects)
    yield Arrow(SERVER, BROWSER, response, cookies)


def _found(operation: StoreOperation) -> str:
    data = open_snapshot(operation.data) or {}
    if data:
        return f"entries: {_list(map(str, data))}"
    return "nothing: expired" if operation.key_fate is KeyFate.EXPIRED else "nothing"


def count_by_owner(names: list[str]) -> str:
    """Return the names of this lab's cookies, and the number of other cookies."""
    kinds = {name: cookie_owner(name).kind for name in names}
    own = [name for name, kind in kinds.items() if kind in {"session", "lab"}]
    parts = [_list(own)] if own else []
    if "csrf" in kinds.values():
        parts.append(CSRF)
    if foreign := list(kinds.values()).count("other-lab"):
        parts.append(f"{foreign} from {'another lab' if foreign == 1 else 'other labs'}")
    if unknown := list(kinds.values()).count("unknown"):
        parts.append(quantity(unknown, "other"))
    return " + ".join(parts)


def _list(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more
