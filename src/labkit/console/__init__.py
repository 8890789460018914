"""The console of `lab serve`: a Django project that lists, opens, explains and resets the labs.

It keeps nothing: no database, no session. What it knows of the labs it asks the `Supervisor` that
runs them, in the same process.
"""

import os
from collections.abc import Callable
from typing import Any

from labkit.serve.supervisor import Supervisor

_house: list[Supervisor] = []


def application(house: Supervisor) -> Callable[..., Any]:
    """The console of this house as a WSGI application; one in a process."""
    _house[:] = [house]
    os.environ["DJANGO_SETTINGS_MODULE"] = "labkit.console.settings"
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def current() -> Supervisor:
    """The house whose console this is."""
    return _house[0]
