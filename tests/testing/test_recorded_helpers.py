"""Test the helpers of recorded tests: effects, and moves of the server's clock alone."""

import time

import pytest

from labkit.panel.exchange_log import log
from labkit.testing.effects import NO_PANEL, effects, kept, key_in, stored


@pytest.mark.parametrize("helper", [effects, stored])
def test_without_the_panel_nothing_is_observed(visitor, helper):
    log.clear()
    page = visitor.get("/display/")
    with pytest.raises(AssertionError, match=NO_PANEL[:30]):
        helper(page)


def test_only_the_servers_clock_is_moved(visitor, clock):
    visitor.get("/display/")
    visitor.jar.store("a=1; Max-Age=120", visitor.origin)
    before = time.time()
    clock.forward(minutes=3, server_only=True)
    assert 180 < time.time() - before < 181
    assert kept(visitor) == {"a": "1"}
    clock.forward(minutes=1)
    assert kept(visitor) == {"a": "1"}
    clock.forward(minutes=1)
    assert kept(visitor) == {}


def test_a_url_without_a_key_has_none(visitor):
    page = visitor.get("/display/?w=" + "k" * 32)
    assert key_in(page) == "k" * 32
    with pytest.raises(AssertionError):
        key_in(visitor.get("/display/"))
