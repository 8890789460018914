"""Write the record by which `lab reset` finds this process, and delete it when the process ends."""

import os
from collections.abc import Callable
from functools import partial

from django.conf import settings

from labkit import environment
from labkit.catalog import state_dir
from labkit.panel.instructor_controls import form_key
from labkit.services.mariadb import is_private_url
from labkit.services.running_labs import RunningLab, forget


def write_record(port: int) -> Callable[[], None]:
    """Write the record of this process, which listens on a port of 127.0.0.1.

    Return a function that deletes the record. Write nothing if the panel is turned off, because a
    reset needs the panel's control.
    """
    if os.environ.get("LAB_PANEL") == "0":
        return lambda: None
    url = environment.database_url()
    named = "" if is_private_url(url) else url
    record = RunningLab(
        f"http://127.0.0.1:{port}", form_key(), environment.describe_url(named) if named else ""
    )
    state = state_dir(settings.FOLDER)
    record.write(state)
    return partial(forget, state, record)
