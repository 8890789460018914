"""Report this lab's state and latest exchanges to the console, as JSON."""

from datetime import UTC, datetime
from typing import Any

from labkit.panel import server_clock
from labkit.panel.cookie_explanations import CookieEffect, cookie_effects
from labkit.panel.exchange_json import outcome
from labkit.panel.exchange_log import log
from labkit.panel.exchange_outcome import Outcome, SessionEvent
from labkit.panel.exchange_words import Words, summarize, summary_words
from labkit.panel.models import Exchange
from labkit.session_stores import describe_engine

ACTIVE_SECONDS = 300  # seconds for which a visitor counts as active after a request
LONGEST_PATH = 200  # characters
# Highlights on the console's Live page, by the `place` and `key` of `Words`.
HIGHLIGHTS = {
    ("store", SessionEvent.CREATED): "created",
    ("store", SessionEvent.REPLACED): "deleted",
    ("store", SessionEvent.DELETED): "deleted",
    ("store", SessionEvent.DISCARDED): "lost",
    ("store", SessionEvent.CHANGE_LOST): "lost",
    ("store", SessionEvent.NOT_DELIVERED): "lost",
    ("store", SessionEvent.DELETED_BY_OTHER): "lost",
    ("store", SessionEvent.SAVE_FAILED): "lost",
    ("browser", CookieEffect.NOT_DELETED): "refused",
    ("browser", CookieEffect.REFUSED): "refused",
    **{("wire", str(status)): "refused" for status in (400, 403, 405, 413, 414, 431)},
    **{("wire", str(status)): "failed" for status in range(500, 600)},
}


def report(most: int, brief: bool = False) -> dict[str, Any]:
    """Return the lab's state and at most `most` exchanges, newest first.

    brief: whether to leave out each exchange's full outcome, which the console does not need.
    """
    return {
        "moved": server_clock.moved(),
        "active": log.active_visitors(ACTIVE_SECONDS),
        "engine": describe_engine(),
        "exchanges": [
            _exchange(each) | ({} if brief else {"outcome": outcome(each)})
            for each in log.newest()[:most]
        ],
    }


def _exchange(exchange: Exchange) -> dict[str, Any]:
    effects = cookie_effects(exchange)
    real_time = datetime.fromtimestamp(exchange.at - exchange.clock_ahead, UTC)
    return {
        "number": exchange.number,
        "at": real_time.isoformat(timespec="seconds"),
        "visitor": log.visitor(exchange),
        "host": exchange.host,
        "method": exchange.method,
        "path": exchange.path[:LONGEST_PATH],
        "status": exchange.status,
        "sentence": summarize(exchange),
        "session": Outcome(exchange).event if exchange.engine else "",
        "sets": effects.get(CookieEffect.SET, []),
        "deletes": effects.get(CookieEffect.DELETED, []),
        "url": f"/__lab__/exchange/{exchange.token}/",
        "redirect": exchange.redirect.number if exchange.redirect else None,
        "steps": [
            [_word(words) for words in summary_words(Outcome(each), cookie_effects(each))]
            for each in exchange.with_redirect()
        ],
    }


def _word(words: Words) -> dict[str, str]:
    highlight = HIGHLIGHTS.get((words.place, words.key), "")
    # A status is only a number, and colour alone must not show its meaning, so a word is added.
    text = f"{words.text} {highlight}" if highlight and words.place == "wire" else words.text
    return {"text": text, "place": words.place, "highlight": highlight}
