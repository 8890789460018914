"""Deletes sessions that have expired, a few at a time, so that nobody waits for long meanwhile."""

import time
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from django.conf import settings
from django.utils import timezone

BATCH = 500  # rows: some 10 ms, and fewer than the parameters that any SQLite takes


def clear_expired(batch: int = BATCH) -> Iterator[int]:
    """Delete the rows of sessions that ended before now; after each batch, how many went with it.

    Django's own clear_expired() is one DELETE. While it runs, SQLite lets nobody else write, and
    waiting for it ends in an error after 20 s; MariaDB locks single rows, and nobody waits for long
    (bench/growth.py measures both). This one gives way after each batch, for as long as the batch
    took, and takes longer altogether. A session that is prolonged while it runs is kept: its end is
    looked at again as its row is deleted.

    An engine without rows of its own clears what it has by Django's way, and yields nothing.
    Raises what the database raises; the batches before are deleted then.
    https://docs.djangoproject.com/en/5.2/topics/http/sessions/#clearing-the-session-store
    """
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore
    if not hasattr(store, "get_model_class"):
        store.clear_expired()
        return
    now = timezone.now()
    expired = store.get_model_class().objects.filter(expire_date__lt=now)
    # In the order of their ends, each batch from where the last one stopped: InnoDB keeps deleted
    # rows in its index for a while, and would walk over all of them anew each time.
    ordered = expired.order_by("expire_date").values_list("session_key", "expire_date")
    rows = list(ordered[:batch])
    while rows:
        began = time.monotonic()
        gone, _ = expired.filter(session_key__in=[key for key, _ in rows]).delete()
        yield gone
        time.sleep(time.monotonic() - began)
        rows = list(ordered.filter(expire_date__gte=rows[-1][1])[:batch])
