"""The console of `lab serve`: a Django project that lists, opens, explains and resets the labs.

It has neither a database nor sessions. It runs in the same process as the `Supervisor` of the labs,
and reads everything about them from there.
"""

import os
from collections.abc import Callable
from typing import Any

from labkit.serve.supervisor import Supervisor

_supervisor: list[Supervisor] = []


def application(supervisor: Supervisor) -> Callable[..., Any]:
    """Return the console of this supervisor as a WSGI application; there is one per process."""
    _supervisor[:] = [supervisor]
    os.environ["DJANGO_SETTINGS_MODULE"] = "labkit.console.settings"
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def supervisor() -> Supervisor:
    """Return the supervisor whose labs the console shows."""
    return _supervisor[0]
