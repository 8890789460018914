"""Check that a reset returns each lab to the state of a new checkout, by hashes of its parts.

The panel's control is used with each engine; `lab reset` then clears what all engines have left.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from labkit.catalog import Catalog, database_name
from labkit.environment import BACKENDS, without_shared

ROOT = Path(__file__).parents[2]
LABS = Catalog(ROOT).labs
WITH_DATABASE = [lab for lab in LABS if lab.database]
SECONDS = 900
# engine -> the parts of the state in which it keeps sessions
STORES = {
    "db": {"rows"},
    "cached_db": {"rows", "cache"},
    "cache": {"cache"},
    "signed_cookies": set(),
    "file": {"files"},
}
MEMORY = {"log", "clock"}


# The engines that keep sessions in the database. The others are the same with each database.
IN_DATABASE = ["db", "cached_db"]


def stages(labs, engines, urls):
    """Use and reset labs in separate processes; return {lab: {stage: {part of the state: hash}}}.

    engines: those to use in labs with a database. urls: {lab: DATABASE_URL}, or {} for SQLite.
    """
    wanted = {
        str(lab.folder): {
            "engines": [BACKENDS + engine for engine in engines] if lab.database else [""],
            "url": urls.get(lab.number, ""),
        }
        for lab in labs
    }
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "support" / "lab_state.py")],
        input=json.dumps(wanted),
        env=without_shared(os.environ),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return {lab.number: found[str(lab.folder)] for lab in labs}


def check(found, engines):
    """Check that each engine's data were in the state before each reset, and not afterwards."""
    new = found[f"{engines[0]} new"]
    for engine in engines:
        used = found[f"{engine} used"]
        assert found[f"{engine} new"] == found[f"{engine} reset"] == new, engine
        changed = {part for part in new if used[part] != new[part]}
        assert changed == STORES.get(engine, set()) | MEMORY, engine
    left = STORES.get(engines[0], set()) | STORES.get(engines[-1], set())
    assert left <= {part for part in new if found["left"][part] != new[part]}
    assert found["lab reset"] == new


@pytest.fixture(scope="module")
def on_sqlite():
    return stages(LABS, STORES, {})


@pytest.fixture(scope="module")
def on_mariadb(mariadb):
    urls = {lab.number: mariadb.url(f"reset_{database_name(lab.number)}") for lab in WITH_DATABASE}
    return stages(WITH_DATABASE, IN_DATABASE, urls)


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.number)
def test_a_reset_lab_equals_a_new_one(lab, on_sqlite):
    check(on_sqlite[lab.number], list(STORES) if lab.database else [""])


@pytest.mark.parametrize("lab", WITH_DATABASE, ids=lambda lab: lab.number)
def test_a_reset_lab_on_mariadb_equals_a_new_one(lab, on_mariadb):
    check(on_mariadb[lab.number], IN_DATABASE)
