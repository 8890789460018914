"""The key under which a server tells an application about the connection of a request."""

# In the WSGI environ: the number of this request on its connection, from 1.
REQUEST_NUMBER = "labkit.request_number"
