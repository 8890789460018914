"""Test that a lab stores visitors' data where it says it does: in cookies or sessions."""

from importlib import import_module
from typing import Any

import pytest
from django.conf import settings

from labkit.testing.visitor import Visitor


class KeptIn:
    """Tests that the browser has either the data, in cookies, or only the session key."""

    kept_in = ""  # "cookies" or "session"; "" if it depends on the session engine
    leave_state: Any  # a method of the lab's contract that makes the lab store data for a visitor

    @pytest.mark.in_process
    def test_state_is_stored_where_the_lab_says(self, visitor):
        if self.kept_in == "session":
            store = import_module(settings.SESSION_ENGINE).SessionStore()
            # This raises an error unless the sessions app and its table exist.
            assert not store.exists("0" * 32)
        self.leave_state(visitor)
        held = held_by(visitor)
        assert held
        if self.kept_in == "cookies":
            assert settings.SESSION_COOKIE_NAME not in held
        elif self.kept_in == "session":
            assert held == [settings.SESSION_COOKIE_NAME]
            assert store.exists(visitor.jar.get(settings.SESSION_COOKIE_NAME).value)


def held_by(visitor: Visitor) -> list[str]:
    """Return the names of the visitor's cookies, except the CSRF cookie."""
    return [cookie.name for cookie in visitor.jar if cookie.name != settings.CSRF_COOKIE_NAME]
