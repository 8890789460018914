"""The command `manage.py runserver`: Django's server, which also counts requests per connection."""

import atexit
from typing import Any

from django.core.management.commands import runserver
from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer

from labkit.http.connection import REQUEST_NUMBER
from labkit.panel.running_record import write_record


class ConnectionHandler(WSGIRequestHandler):
    """Handles the requests on one connection."""

    # Headers and body are written separately, so the body would otherwise be delayed by 40 ms.
    disable_nagle_algorithm = True
    requests = 0

    def get_environ(self) -> dict[str, Any]:
        """Return the WSGI environ of the next request, with its number on the connection."""
        self.requests += 1
        environ: dict[str, Any] = super().get_environ()
        return environ | {REQUEST_NUMBER: self.requests}


class Server(WSGIServer):
    """Django's development server, with ConnectionHandler."""

    def __init__(self, address: tuple[str, int], handler: type, **options: Any) -> None:
        super().__init__(address, ConnectionHandler, **options)


class Command(runserver.Command):
    """Run the server above."""

    server_cls = Server

    def on_bind(self, server_port: int) -> None:
        """Print the URL, as Django does, and write the record that `lab reset` reads."""
        atexit.register(write_record(server_port))
        super().on_bind(server_port)
