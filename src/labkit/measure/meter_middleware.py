"""Middleware of a server that is measured from inside: what its store holds, its queries, a delay.

Only labkit.measure.meter_settings puts it around a lab, and only `lab compare --measure` uses that.
"""

import json
import os
import pickle
import re
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

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
            return _said(in_store())
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


def in_store() -> dict[str, int]:
    """How many sessions the store holds, in how many rows, cache entries and files, and bytes."""
    if "django.contrib.sessions" not in settings.INSTALLED_APPS:
        return {"sessions": 0, "records": 0, "bytes": 0}
    engine = settings.SESSION_ENGINE.rpartition(".")[2]
    rows: list[int] = []
    copies: list[int] = []
    if engine in {"db", "cached_db"}:
        from django.contrib.sessions.models import Session

        rows = [len(data) for data in Session.objects.values_list("session_data", flat=True)]
    if engine in {"cache", "cached_db"}:
        copies = [len(entry) for entry in _entries()]
    if engine == "file":
        rows = [path.stat().st_size for path in Path(settings.SESSION_FILE_PATH).glob("*")]
    return {
        "sessions": len(rows or copies),
        "records": len(rows) + len(copies),
        "bytes": sum(rows) + sum(copies),
    }


def _entries() -> list[bytes]:
    """What LocMem holds, in the bytes in which it holds it."""
    from django.core.cache import caches

    cache: Any = caches["default"]
    held = cache._cache.values()
    return [one if isinstance(one, bytes) else pickle.dumps(one) for one in held]
