"""A pytest plugin that lets the exchange panel look at the session once, as it must not."""

from labkit.panel import middleware

end = middleware._end


def spoilt(exchange, request, response):
    if hasattr(request, "session"):
        request.session.get("anything")
    end(exchange, request, response)


middleware._end = spoilt
