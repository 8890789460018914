"""Check in a test what requests did to the session, its store and the browser's cookies.

The test must use the fixture `exchange_panel`, because the panel observes the effects.
"""

from typing import Any

from django.conf import settings

from labkit import session_stores
from labkit.panel.exchange_log import log
from labkit.panel.exchange_outcome import Outcome
from labkit.panel.models import Exchange
from labkit.panel.visit.effects import KEY, Effect, as_json, effect_of, stored_after

__all__ = ["Effect", "effects", "kept", "key_in", "stored"]
NO_PANEL = "The panel has not recorded this request. Does the test use exchange_panel?"


def effects(page: Any) -> list[Effect]:
    """Return the effects of a request and of the redirects after it, in order.

    page: the newest response that any visitor received. Raises AssertionError if the panel is off.
    """
    return [effect_of(each) for each in _recorded(page)]


def stored(page: Any) -> dict[str, Any]:
    """Return the entries that the store keeps for the session of a response, as in JSON.

    page: the newest response that any visitor received. Raises AssertionError if the panel is off.
    """
    changed = [each for each in _recorded(page) if stored_after(each) is not None]
    outcome = Outcome((changed or _recorded(page))[-1])
    key = outcome.key_after or outcome.key_before
    records = session_stores.read(key) if key else []
    return as_json(records[0].data) if records else {}


def _recorded(page: Any) -> list[Exchange]:
    """Return what the panel recorded of a request and its redirects, in order."""
    count = len(getattr(page, "redirect_chain", ())) + 1
    recorded = log.newest()[:count][::-1]
    if len(recorded) < count or not page.exchange.url.endswith(recorded[-1].path):
        raise AssertionError(NO_PANEL)
    return recorded


def kept(visitor: Any) -> dict[str, str]:
    """Return the browser's cookies {name: value}, except the session and CSRF cookies."""
    hidden = {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
    return {each.name: each.value for each in visitor.jar if each.name not in hidden}


def key_in(page: Any) -> str:
    """Return the session key in the URL of a page. Raises AssertionError if there is none."""
    found = KEY.search(page.exchange.url)
    assert found, f"{page.exchange.url} contains no session key"
    return found[0]
