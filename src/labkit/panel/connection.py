"""Describe the connection of a request, if the server reports it."""

from labkit.panel.exchange_log import SERVER
from labkit.panel.models import Exchange

# Pages contain the key that describes the connection as data-connection.
CONNECTIONS = {
    "new": "Sent on a new connection.",
    "kept": "Request number {number} on a connection that was kept open.",
    "relayed": (
        "The load balancer opens a new connection to the server for each request. The browser is "
        "connected only to the load balancer."
    ),
    "unknown": "This server does not report which connection the request used.",
}
_SHORT = {"new": "new connection", "kept": "same connection, request {number}"}


def connection_kind(exchange: Exchange) -> str:
    """Return a key of CONNECTIONS."""
    if SERVER:
        return "relayed"
    if not exchange.request_number:
        return "unknown"
    return "new" if exchange.request_number == 1 else "kept"


def explain_connection(exchange: Exchange) -> str:
    """Return one or two sentences that describe the connection of a request."""
    return CONNECTIONS[connection_kind(exchange)].format(number=exchange.request_number)


def connection_words(exchange: Exchange) -> str:
    """Describe the connection in a few words, or return "" if there is nothing to report."""
    return _SHORT.get(connection_kind(exchange), "").format(number=exchange.request_number)
