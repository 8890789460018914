"""Middleware for measuring a server: it counts queries, reads the store and slows the view down.

Only labkit.measure.metered_settings adds it to a lab, for servers of `lab compare --measure`.
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
QUERIES = "X-Lab-Queries"  # header of a response: the number of its queries
DELAY = "LAB_MEASURE_DELAY"  # environment variable: seconds
# Not counted: the limits of a transaction, which Django sends to SQLite as SQL but not to MariaDB,
# and the settings of a new connection, which it sends to MariaDB only.
NOT_COUNTED = re.compile(r"\s*(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET |SELECT VERSION\(\))")


def count_queries(get_response: GetResponse) -> GetResponse:
    """Middleware around all others: count the queries of a request, and serve METER_URL."""
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
    response["Content-Length"] = str(len(response.content))  # without it, it is sent in chunks
    return response


def delay(get_response: GetResponse) -> GetResponse:
    """Middleware within all others: wait between the view and the saving of the session.

    The environment variable DELAY says how long, as if the view took that much longer.
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
    """Return how many sessions the store holds, in how many records, and their bytes."""
    sizes = list(session_stores.record_sizes().values())
    return {
        "sessions": next((len(each) for each in sizes if each), 0),  # cached_db has them twice
        "records": sum(map(len, sizes)),
        "bytes": sum(map(sum, sizes)),
    }
