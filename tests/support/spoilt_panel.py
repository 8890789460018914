"""A pytest plugin that breaks the exchange panel on purpose: the panel accesses the session."""

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
