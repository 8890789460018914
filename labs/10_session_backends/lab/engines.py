"""How each engine stores the cart. tests/test_table.py verifies every cell of the table."""

from django.conf import settings

COLUMNS = {
    "place": "Where the cart is stored",
    "restart": "Survives a restart",
    "second": "Seen by a second process",
    "end": "Ends on time",
    "replay": "Restored by a copied cookie",
    "read": "Visitor can read it",
    "bytes": "At most 4096 bytes",
    "migrate": "Needs migrate",
    "queries": "Queries to read",
}
SEPARATOR = "|"
TABLE = {  # {an engine, with its cache if it uses one: a cell for each column}
    "db": "a row of the table django_session|yes|yes|yes|no|no|no|yes|1",
    "cached_db, LocMem": "a row, and a copy of it in memory|yes|late|yes|no|no|no|yes|0",
    "cached_db, Redis": "a row, and a copy of it in Redis|yes|yes|yes|no|no|no|yes|0",
    "cache, LocMem": "the memory of the server's process|no|no|yes|no|no|no|no|0",
    "cache, Redis": "the memory of the Redis server|yes|yes|yes|no|no|no|no|0",
    "file": "a file in the folder SESSION_FILE_PATH|yes|yes|no|no|no|no|no|0",
    "signed_cookies": "the cookie itself, in the browser|yes|yes|no|yes|yes|yes|no|0",
}


def in_use():
    """Return the engine in the settings, and its cache if it uses one."""
    engine = settings.SESSION_ENGINE.rpartition(".")[2]
    cache = "Redis" if "redis" in settings.CACHES["default"]["BACKEND"] else "LocMem"
    return engine, cache if engine in {"cached_db", "cache"} else ""


def place():
    """Return where the current engine stores the cart."""
    return next(row["place"] for row in rows() if row["in_use"])


def rows():
    """Return the table for the page, with the current engine marked."""
    used = ", ".join(filter(None, in_use()))
    found = []
    for name, row in TABLE.items():
        place, *cells = row.split(SEPARATOR)
        found.append({"name": name, "place": place, "cells": cells, "in_use": name == used})
    return found
