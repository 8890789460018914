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
SECONDS = 300
# engine -> the parts of the state in which it keeps sessions
STORES = {
    "db": {"rows"},
    "cached_db": {"rows", "cache"},
    "cache": {"cache"},
    "signed_cookies": set(),
    "file": {"files"},
}
MEMORY = {"log", "clock"}


def stages(lab, url=""):
    """Use and reset a lab in separate processes; return {stage: {part of the state: hash}}."""
    engines = [BACKENDS + engine for engine in STORES] if lab.database else [""]
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "support" / "lab_state.py")],
        input=json.dumps({str(lab.folder): {"engines": engines, "url": url}}),
        env=without_shared(os.environ),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)[str(lab.folder)]


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


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.number)
def test_a_reset_lab_equals_a_new_one(lab):
    check(stages(lab), list(STORES) if lab.database else [""])


@pytest.mark.parametrize("lab", [lab for lab in LABS if lab.database], ids=lambda lab: lab.number)
def test_a_reset_lab_on_mariadb_equals_a_new_one(lab, mariadb):
    check(stages(lab, mariadb.url(f"reset_{database_name(lab.number)}")), list(STORES))
