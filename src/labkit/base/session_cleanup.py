"""Delete expired sessions in small batches, so that no visitor waits for long."""

import time
from collections.abc import Iterator

from django.utils import timezone

from labkit import session_stores

BATCH = 500  # rows per batch; this takes about 10 ms and stays within SQLite's limit on parameters


def clear_expired(batch: int = BATCH) -> Iterator[int]:
    """Delete the rows of expired sessions in batches; yield how many rows each batch deleted.

    Django's own clear_expired() executes a single DELETE. While it runs, no other request can write
    to SQLite, and a waiting request fails after 20 s. MariaDB locks individual rows, so no request
    waits for long (bench/growth.py measures both). This function pauses after each batch for as
    long as the batch took, so it takes longer overall. A session that is renewed in the meantime is
    kept, because the DELETE checks the expiry again.

    If the session engine does not store sessions as rows, call Django's clear_expired() and yield
    nothing. Database errors are not caught; rows deleted by earlier batches stay deleted.
    https://docs.djangoproject.com/en/5.2/topics/http/sessions/#clearing-the-session-store
    """
    if not hasattr(session_stores.session_store(), "get_model_class"):
        session_stores.session_store().clear_expired()
        return
    expired = session_stores.rows().filter(expire_date__lt=timezone.now())
    # Each batch starts at the expiry where the previous one stopped. Otherwise, InnoDB would scan
    # the deleted rows again, because it keeps them in its index for a while.
    ordered = expired.order_by("expire_date").values_list("session_key", "expire_date")
    rows = list(ordered[:batch])
    while rows:
        started = time.monotonic()
        deleted, _ = expired.filter(session_key__in=[key for key, _ in rows]).delete()
        yield deleted
        time.sleep(time.monotonic() - started)
        rows = list(ordered.filter(expire_date__gte=rows[-1][1])[:batch])
