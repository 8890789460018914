"""A pytest plugin that ends the run before its first test if the project cannot start.

Django loads the URLconf and the middleware with the first request. An error in one of them would
make every test fail in the same way.
https://docs.djangoproject.com/en/5.2/topics/http/middleware/#activating-middleware
"""

import traceback

import pytest


def pytest_sessionstart() -> None:
    from django.core.handlers.base import BaseHandler
    from django.urls import get_resolver

    try:
        _ = get_resolver().url_patterns
        BaseHandler().load_middleware()
    except Exception as error:
        raise pytest.UsageError("\n" + "".join(traceback.format_exception(error))) from None
