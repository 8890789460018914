"""A pytest plugin that makes the exchange panel access the session, which is an error."""

from labkit.panel import middleware

observe = middleware.observe


def spoilt(get_response):
    def access_the_session(request):
        response = get_response(request)
        if hasattr(request, "session"):
            request.session.get("anything")
        return response

    return observe(access_the_session)


middleware.observe = spoilt
