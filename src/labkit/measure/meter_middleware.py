"""Middleware of a server that is measured from inside: what its store holds, its queries, a delay.

Only labkit.measure.meter_settings puts it around a lab, and only `lab compare --measure` uses that.
"""

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from labkit import stores
from labkit.panel import clock

Respond = Callable[[HttpRequest], HttpResponse]
OWN = "/__measure__/"
QUERIES = "X-Lab-Queries"  # of an answer: how many statements it took
DELAY = "LAB_MEASURE_DELAY"  # in the environment: seconds
# No queries: what begins and ends a transaction, of which SQLite is told in SQL and MariaDB is not,
# and what Django asks and says of a new connection, which only MariaDB is told in SQL.
ASIDE = re.compile(r"\s*(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET |SELECT VERSION\(\))")


def look(get_response: Respond) -> Respond:
    """Middleware, around all others: count each answer's queries, and answer to OWN."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info == f"{OWN}store/":
            return _said(stored_sessions())
        if request.path_info == f"{OWN}forward/":
            clock.forward(float(request.GET["seconds"]))
            return _said({"ahead": clock.moved()})
        counter = Counter()
        with ExitStack() as stack:
            for connection in _connections():
                stack.enter_context(connection.execute_wrapper(counter))
            response = get_response(request)
        response[QUERIES] = str(counter.count)
        return response

    return middleware


def _said(content: Mapping[str, float]) -> HttpResponse:
    text = json.dumps(content)
    return HttpResponse(text, headers={"Content-Length": str(len(text))})  # or it comes in chunks


def delay(get_response: Respond) -> Respond:
    """Middleware, within all others: the view has read and changed, and is not yet done.

    The session is saved on the way out, so that between reading and saving lies what the
    environment says in DELAY, as if the view had still something else to do.
    """
    seconds = float(os.environ.get(DELAY, "0"))

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        time.sleep(seconds)
        return response

    return middleware


class Counter:
    """https://docs.djangoproject.com/en/5.2/topics/db/instrumentation/"""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.count += not ASIDE.match(sql)
        return execute(sql, params, many, context)


def _connections() -> list[Any]:
    from django.db import connections

    return connections.all() if settings.DATABASES.get("default", {}).get("NAME") else []


def stored_sessions() -> dict[str, int]:
    """Return how many sessions the store holds, in how many records, and their bytes."""
    sizes = list(stores.record_sizes().values())
    return {
        "sessions": next((len(each) for each in sizes if each), 0),  # cached_db keeps them twice
        "records": sum(map(len, sizes)),
        "bytes": sum(map(sum, sizes)),
    }
