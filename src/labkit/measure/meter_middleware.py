"""Middleware that counts queries, reads the store and slows down the view.

Only labkit.measure.metered_settings adds this middleware to a lab, on servers of `lab compare
--measure`.
"""

import os
import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.db import connections
from django.http import HttpRequest, HttpResponse, JsonResponse

from labkit import session_stores
from labkit.panel import server_clock

GetResponse = Callable[[HttpRequest], HttpResponse]
METER_URL = "/__measure__/"
QUERIES = "X-Lab-Queries"  # the name of a response header with the number of queries
DELAY = "LAB_MEASURE_DELAY"  # the name of an environment variable with a number of seconds
# These statements are not counted, because Django sends each kind to one database only: BEGIN and
# COMMIT as SQL to SQLite, and the settings of a new connection to MariaDB.
NOT_COUNTED = re.compile(r"\s*(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET |SELECT VERSION\(\))")


def count_queries(get_response: GetResponse) -> GetResponse:
    """Return middleware that counts the queries of each request and serves METER_URL.

    This middleware must be the first in the list.
    """
    has_database = bool(settings.DATABASES.get("default", {}).get("NAME"))

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info == f"{METER_URL}store/":
            return _json(stored_sessions())
        if request.path_info == f"{METER_URL}forward/":
            server_clock.forward(float(request.GET["seconds"]))
            return _json({"ahead": server_clock.moved()})
        counter = QueryCounter()
        with ExitStack() as stack:
            for connection in connections.all() if has_database else []:  # this thread's
                stack.enter_context(connection.execute_wrapper(counter))
            response = get_response(request)
        response[QUERIES] = str(counter.count)
        return response

    return middleware


def _json(content: dict[str, Any]) -> HttpResponse:
    response = JsonResponse(content)
    # Without this header, the response would be sent in chunks.
    response["Content-Length"] = str(len(response.content))
    return response


def delay(get_response: GetResponse) -> GetResponse:
    """Return middleware that waits after the view, before the session is saved.

    This middleware must be the last in the list. The environment variable DELAY contains the number
    of seconds to wait.
    """
    seconds = float(os.environ.get(DELAY, "0"))

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        time.sleep(seconds)
        return response

    return middleware


class QueryCounter:
    """https://docs.djangoproject.com/en/5.2/topics/db/instrumentation/"""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.count += not NOT_COUNTED.match(sql)
        return execute(sql, params, many, context)


def stored_sessions() -> dict[str, int]:
    """Return how many sessions the store contains, and the number of their records and bytes."""
    sizes = list(session_stores.record_sizes().values())
    return {
        "sessions": next((len(each) for each in sizes if each), 0),  # cached_db stores each twice
        "records": sum(map(len, sizes)),
        "bytes": sum(map(sum, sizes)),
    }
