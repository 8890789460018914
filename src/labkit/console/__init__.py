"""The console of `lab serve`, a Django project that lists, opens, explains and resets the labs.

The console has neither a database nor sessions. It runs in the same process as the labs'
`Supervisor`, which has all of the information about the labs.
"""

import os
from collections.abc import Callable
from typing import Any

from labkit.serve.supervisor import Supervisor
from labkit.serve.version_servers import VersionServers

_supervisor: list[Supervisor] = []
_versions: list[VersionServers] = []


def application(supervisor: Supervisor, versions: VersionServers) -> Callable[..., Any]:
    """Return this supervisor's console as a WSGI application; there is one per process."""
    _supervisor[:], _versions[:] = [supervisor], [versions]
    os.environ["DJANGO_SETTINGS_MODULE"] = "labkit.console.settings"
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def supervisor() -> Supervisor:
    """Return the supervisor whose labs the console shows."""
    return _supervisor[0]


def version_servers() -> VersionServers:
    """Return the textbook versions that the console starts and stops."""
    return _versions[0]
