"""The key in the WSGI environ under which a server records a request's connection."""

# The value under this key is the number of the request on its connection, counted from 1.
REQUEST_NUMBER = "labkit.request_number"
