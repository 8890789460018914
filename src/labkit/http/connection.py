"""The key of the WSGI environ under which a server describes a request's connection."""

# The number of this request on its connection, from 1.
REQUEST_NUMBER = "labkit.request_number"
