"""The promise about where a lab stores its visitors' data: in the browser or on the server."""

from importlib import import_module
from typing import Any

from django.conf import settings

from labkit.testing.visitor import Visitor


class KeptIn:
    """The promise that the browser has the data in cookies, or only the session key."""

    kept_in = ""  # "cookies" or "session"; "" if the engine decides
    leave_state: Any  # from the lab's contract: makes the lab store something for a visitor

    def test_it_is_kept_where_the_lab_says(self, visitor):
        if self.kept_in == "session":
            store = import_module(settings.SESSION_ENGINE).SessionStore()
            assert not store.exists("0" * 32)  # needs the app, a database and its table
        self.leave_state(visitor)
        held = held_by(visitor)
        assert held
        if self.kept_in == "cookies":
            assert settings.SESSION_COOKIE_NAME not in held
        elif self.kept_in == "session":
            assert held == [settings.SESSION_COOKIE_NAME]
            assert store.exists(visitor.jar.get(settings.SESSION_COOKIE_NAME).value)


def held_by(visitor: Visitor) -> list[str]:
    """Return the names of the visitor's cookies, without the CSRF token."""
    return [cookie.name for cookie in visitor.jar if cookie.name != settings.CSRF_COOKIE_NAME]
