"""Test which migrations the database of a lab needs."""

import json
import os
import subprocess
import sys

import pytest

LIMIT = 120  # in seconds; one second on an idle machine
# Print the pending migrations before and after `migrate`, and after one has been unrecorded.
PENDING = """
import json
import django
django.setup()
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from labkit.serve.migrations import pending_migrations

loader = MigrationLoader(connection)
every = sorted(loader.disk_migrations)
found = [sorted(pending_migrations())]
call_command("migrate", verbosity=0)
found.append(sorted(pending_migrations()))
connection.cursor().execute("DELETE FROM django_migrations WHERE name = '0001_initial'")
found.append(sorted(pending_migrations()))
print(json.dumps([every, *found]))
"""


@pytest.mark.parametrize("number", ["04", "11"])
def test_what_the_database_lacks_is_pending(own_checkout, tmp_path, number):
    (folder,) = own_checkout.glob(f"labs/{number}_*")
    done = subprocess.run(
        [sys.executable, "-c", PENDING],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=True,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "lab.settings", "LAB_STATE_DIR": str(tmp_path / "state")},
    )
    every, new, migrated, unrecorded = json.loads(done.stdout)
    assert new == every  # Django finds the same
    assert ["sessions", "0001_initial"] in new
    assert migrated == []
    assert unrecorded == [each for each in every if each[1] == "0001_initial"]
